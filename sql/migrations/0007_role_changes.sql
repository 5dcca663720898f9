-- note: when a user's roles were changed last, for the running server to ask after
ALTER TABLE users ADD COLUMN roles_changed_at TIMESTAMPTZ; -- null: never since registration
CREATE INDEX users_roles_changed ON users (roles_changed_at) WHERE roles_changed_at IS NOT NULL;
