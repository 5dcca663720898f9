-- note: the ledger's outside of parking: what is earned, the tax in it, what machines have taken, what drivers owe

INSERT INTO accounts (account_id, user_id, kind, currency, opened_at, seq) VALUES
    (21, 0, 21, '', 'epoch', 0), (22, 0, 22, '', 'epoch', 0), (23, 0, 23, '', 'epoch', 0), (24, 0, 24, '', 'epoch', 0);
