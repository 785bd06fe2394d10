use rabta_domain::role;
use rabta_wire::{Id, enroll::Person};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{IdentityError, entered, entered_option, id, new_id};

/// What an operator enters of a person.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct NewPerson {
    pub facility: Id,
    pub name: String,
    pub role: String,
    pub registration: Option<String>,
    pub qualification: Option<String>,
    pub specialty: Option<String>,
    pub phone: Option<String>,
}

pub async fn add_person(
    tx: &mut SqliteConnection,
    new: &NewPerson,
    now: i64,
) -> Result<Person, IdentityError> {
    if !role::roles().any(|role| role == new.role) {
        return Err(IdentityError::Role(new.role.clone()));
    }
    let person = Person {
        id: new_id(),
        name: entered("the name", &new.name)?,
        role: new.role.clone(),
        registration: entered_option("the registration number", &new.registration)?,
        qualification: entered_option("the qualification", &new.qualification)?,
        specialty: entered_option("the specialty", &new.specialty)?,
        phone: entered_option("the phone", &new.phone)?,
    };
    let sql = "INSERT INTO person (id, facility, name, role, registration, qualification, specialty, phone, created_at) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    sqlx::query(sql)
        .bind(person.id.0.to_vec())
        .bind(new.facility.0.to_vec())
        .bind(&person.name)
        .bind(&person.role)
        .bind(&person.registration)
        .bind(&person.qualification)
        .bind(&person.specialty)
        .bind(&person.phone)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(person)
}

fn read(row: &SqliteRow) -> Result<(Person, Id), sqlx::Error> {
    let person = Person {
        id: id(row.try_get("id")?)?,
        name: row.try_get("name")?,
        role: row.try_get("role")?,
        registration: row.try_get("registration")?,
        qualification: row.try_get("qualification")?,
        specialty: row.try_get("specialty")?,
        phone: row.try_get("phone")?,
    };
    Ok((person, id(row.try_get("facility")?)?))
}

/// A person and their facility.
pub async fn person(db: &mut SqliteConnection, person: Id) -> Result<(Person, Id), IdentityError> {
    let row =
        sqlx::query("SELECT * FROM person WHERE id = ?").bind(person.0.to_vec()).fetch_optional(db).await?;
    Ok(read(&row.ok_or(IdentityError::NoPerson)?)?)
}

pub async fn persons(db: &mut SqliteConnection) -> Result<Vec<(Person, Id)>, IdentityError> {
    let rows = sqlx::query("SELECT * FROM person ORDER BY name").fetch_all(db).await?;
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}
