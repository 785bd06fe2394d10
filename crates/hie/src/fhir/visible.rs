use rabta_wire::Id;
use sqlx::{QueryBuilder, Sqlite};

use crate::auth::{Access, Agent};

/// Adds the condition on `resource r` under which `who` may see it: of their facility or of the HIE itself; or of an
/// ask that their facility made; or, while an ask is open that is with a person of their device, what belongs to that
/// ask, with its patient and consent.
///
/// This is part of every query that finds a resource. Nothing is filtered afterwards: totals and pages would leak.
pub fn push(query: &mut QueryBuilder<Sqlite>, who: &Access) {
    let blob = |id: Id| id.0.to_vec();
    query.push("(r.facility IS NULL OR r.facility = ").push_bind(blob(who.facility));
    query
        .push(" OR EXISTS (SELECT 1 FROM task t WHERE t.id = r.task AND t.facility = ")
        .push_bind(blob(who.facility))
        .push(")");
    if let Agent::Device { device, .. } = who.agent {
        query.push(
            " OR EXISTS (SELECT 1 FROM person_key k JOIN task_with w ON w.person = k.person JOIN task t ON t.id = w.task \
             WHERE k.revoked_at IS NULL AND k.device = ",
        );
        query.push_bind(blob(device));
        query.push(" AND (t.id = r.task OR (t.patient = r.patient AND r.type IN ('Patient', 'Consent'))))");
    }
    query.push(")");
}

/// The same for `envelope e`, whose exact payload a signature's proof needs.
pub fn push_envelope(query: &mut QueryBuilder<Sqlite>, who: &Access) {
    let blob = |id: Id| id.0.to_vec();
    query.push("(e.facility = ").push_bind(blob(who.facility));
    query
        .push(" OR EXISTS (SELECT 1 FROM task t WHERE t.id = e.task AND t.facility = ")
        .push_bind(blob(who.facility))
        .push(")");
    if let Agent::Device { device, .. } = who.agent {
        query.push(
            " OR EXISTS (SELECT 1 FROM task_with w JOIN person_key k ON k.person = w.person \
             WHERE w.task = e.task AND k.revoked_at IS NULL AND k.device = ",
        );
        query.push_bind(blob(device)).push(")");
    }
    query.push(")");
}
