PRAGMA application_id = 1128808771;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE drafts (room TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "drafts" VALUES('dm:ada:bob','two
lines');
INSERT INTO "drafts" VALUES('general','half a sen');
CREATE TABLE events (
        room TEXT NOT NULL,
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL,
        sender TEXT NOT NULL,
        text TEXT NOT NULL,
        sent_at INTEGER NOT NULL,
        cid TEXT,
        PRIMARY KEY (room, seq)
    );
INSERT INTO "events" VALUES('general',1,'join','ada','',1767225600000,NULL);
INSERT INTO "events" VALUES('general',2,'join','bob','',1767225601000,NULL);
INSERT INTO "events" VALUES('general',3,'message','ada','Hello, Bob',1767225603000,'019b76dab3b80000abc0000000000003');
INSERT INTO "events" VALUES('general',4,'message','bob','Hello, Ada 😀',1767225604000,'019b76dab7a00000abc0000000000004');
INSERT INTO "events" VALUES('general',5,'message','bob','It''s "here"',1767225605000,'019b76dabb880000abc0000000000005');
INSERT INTO "events" VALUES('dm:ada:bob',1,'message','bob','psst',1767225609000,'019b76dacb280000def0000000000001');
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('epoch','eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee');
INSERT INTO "meta" VALUES('session','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
CREATE TABLE outbox (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        room TEXT NOT NULL,
        cid TEXT NOT NULL UNIQUE,
        text TEXT NOT NULL,
        written_at INTEGER NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT ''
    );
INSERT INTO "outbox" VALUES(1,'general','019b76daf62000001230000000000001','acknowledged',1767225620000,'sent','');
INSERT INTO "outbox" VALUES(2,'general','019b76dafa0800001230000000000002','waits',1767225621000,'waiting','');
INSERT INTO "outbox" VALUES(3,'dm:ada:bob','019b76dafdf000001230000000000003','refused',1767225622000,'failed','there is no such room');
CREATE TABLE people (
        username TEXT PRIMARY KEY,
        display_name TEXT NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "people" VALUES('ada','Ada Lindqvist');
INSERT INTO "people" VALUES('bob','Bob');
CREATE TABLE rooms (
        room TEXT PRIMARY KEY,
        position INTEGER NOT NULL DEFAULT 0,
        read INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
INSERT INTO "rooms" VALUES('dm:ada:bob',1,0);
INSERT INTO "rooms" VALUES('general',5,4);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('outbox',3);
COMMIT;
