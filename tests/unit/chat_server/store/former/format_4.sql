PRAGMA application_id = 1128808788;
PRAGMA user_version = 4;
CREATE TABLE accounts (
        number INTEGER PRIMARY KEY,
        username TEXT NOT NULL UNIQUE,
        display_name TEXT NOT NULL,
        created_at INTEGER NOT NULL
    , change INTEGER NOT NULL DEFAULT 0, role INTEGER NOT NULL DEFAULT 1);
INSERT INTO "accounts" VALUES(1,'ada','Ada',1700000000000,1,1);
INSERT INTO "accounts" VALUES(2,'bob',json_extract('"Bob \"B.\" O''Neill \u2014 \u03a9"', '$'),1700000000000,2,1);
INSERT INTO "accounts" VALUES(3,'cem','Cem',1700000000000,3,1);
CREATE TABLE audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        fields TEXT NOT NULL
    );
CREATE TABLE devices (
        token_hash BLOB PRIMARY KEY,
        account INTEGER NOT NULL REFERENCES accounts,
        name TEXT NOT NULL,
        created_at INTEGER NOT NULL
    , installation TEXT) WITHOUT ROWID;
INSERT INTO "devices" VALUES(X'357D6C60EC35938DEAB40AAAAE46C635DF8A386133FB1FC8C4525E2B1D4F1637',3,'Linux',1700000000000,NULL);
INSERT INTO "devices" VALUES(X'6369C1B5357A06FFDB08077DE107B7A65FE03330AA1F4E37D22BBA2C57B1DAE7',1,'Linux',1700000000000,NULL);
INSERT INTO "devices" VALUES(X'6A0DCA553EFC968985E72C5C1F3BEB51D0C37D11C395123CBB397212E2746017',2,'Linux',1700000000000,NULL);
CREATE TABLE "events" (
        room INTEGER NOT NULL REFERENCES rooms,
        seq INTEGER NOT NULL CHECK (seq > 0),
        kind TEXT NOT NULL,
        sender INTEGER NOT NULL REFERENCES accounts,
        sent_at INTEGER NOT NULL,
        cid TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (room, seq)
    );
INSERT INTO "events" VALUES(1,1,'join',1,1700000000000,'b7aa0f264d3a8700','{}');
INSERT INTO "events" VALUES(1,2,'join',2,1700000000000,'e77ecdfe9849770a','{}');
INSERT INTO "events" VALUES(1,3,'message',1,1700000000000,'fedcba9876543210','{"text":"hello"}');
INSERT INTO "events" VALUES(1,4,'message',1,1700000000000,'fedcba987654320f','{"text":"two\nlines\tand a tab"}');
INSERT INTO "events" VALUES(1,5,'message',1,1700000000000,'fedcba987654320e',json_extract('"{\"text\":\"\ud83d\udc69\u200d\ud83d\udc69\u200d\ud83d\udc67\u200d\ud83d\udc66 \ud83c\udff3\ufe0f\u200d\ud83c\udf08 \ud83c\uddf8\ud83c\uddea \u2615\ufe0f\"}"', '$'));
INSERT INTO "events" VALUES(1,6,'message',1,1700000000000,'fedcba987654320d',json_extract('"{\"text\":\"\u05e9\u05dc\u05d5\u05dd, \u0639\u0627\u0644\u0645\"}"', '$'));
INSERT INTO "events" VALUES(1,7,'message',1,1700000000000,'fedcba987654320c',json_extract('"{\"text\":\"\u202eright to left\u202c \u200f\"}"', '$'));
INSERT INTO "events" VALUES(1,8,'message',1,1700000000000,'fedcba987654320b','{"text":"quotes \" and \\ and </script> {curly} $dollar [brackets]"}');
INSERT INTO "events" VALUES(1,9,'message',1,1700000000000,'fedcba987654320a',json_extract('"{\"text\":\"e\u0301 versus \u00e9\"}"', '$'));
INSERT INTO "events" VALUES(1,10,'message',1,1700000000000,'fedcba9876543209',json_extract('"{\"text\":\"\udbff\udfff\ufffd\ufeff\"}"', '$'));
INSERT INTO "events" VALUES(1,11,'message',1,1700000000000,'fedcba9876543208','{"text":"the same id"}');
INSERT INTO "events" VALUES(1,12,'message',2,1700000000000,'fedcba9876543208','{"text":"the same id"}');
INSERT INTO "events" VALUES(2,1,'message',2,1700000000000,'fedcba9876543207','{"text":"psst"}');
INSERT INTO "events" VALUES(2,2,'message',1,1700000000000,'fedcba9876543206','{"text":"yes?"}');
INSERT INTO "events" VALUES(1,13,'join',3,1700000000000,'d275e997559258ce','{}');
INSERT INTO "events" VALUES(1,14,'message',3,1700000000000,'fedcba9876543205','{"text":"last"}');
CREATE TABLE former_changes (change INTEGER PRIMARY KEY);
CREATE TABLE members (
        room INTEGER NOT NULL REFERENCES rooms,
        account INTEGER NOT NULL REFERENCES accounts,
        PRIMARY KEY (room, account)
    ) WITHOUT ROWID;
INSERT INTO "members" VALUES(1,1);
INSERT INTO "members" VALUES(1,2);
INSERT INTO "members" VALUES(1,3);
INSERT INTO "members" VALUES(2,1);
INSERT INTO "members" VALUES(2,2);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('epoch','10ccb58b3269da0a6b6ddf2acef5b11b');
INSERT INTO "meta" VALUES('invite_secret','AAECAwQFBgcICQoLDA0ODw');
CREATE TABLE rooms (
        number INTEGER PRIMARY KEY,
        room TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL
    );
INSERT INTO "rooms" VALUES(1,'general',0);
INSERT INTO "rooms" VALUES(2,'dm:ada:bob',1700000000000);
CREATE TABLE sanctions (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        account INTEGER REFERENCES accounts,
        installations TEXT NOT NULL,
        device TEXT,
        until INTEGER,
        reason TEXT NOT NULL,
        actor TEXT NOT NULL,
        at INTEGER NOT NULL
    );
CREATE UNIQUE INDEX events_by_cid ON events (cid, sender);
