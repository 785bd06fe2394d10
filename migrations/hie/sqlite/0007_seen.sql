-- When a device last proved who it is: the operator sees which laptops have not been in contact for long.
ALTER TABLE device ADD COLUMN seen_at INTEGER;
