-- The device that made a link: revoking it ends the link.
ALTER TABLE link ADD COLUMN made_on BLOB;
CREATE INDEX link_of_device ON link (made_on);
