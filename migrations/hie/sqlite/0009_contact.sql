-- Whom the patient phones: sealed with a key from the link's secret, which is not here.
ALTER TABLE link ADD COLUMN contact BLOB;
