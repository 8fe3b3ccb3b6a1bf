PRAGMA application_id = 1128808788;
PRAGMA user_version = 1;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('epoch', '40f090308c6c774771b9262886848b7d');
CREATE TABLE accounts (
        number INTEGER PRIMARY KEY,
        username TEXT NOT NULL UNIQUE,
        display_name TEXT NOT NULL,
        created_at INTEGER NOT NULL
    );
INSERT INTO accounts VALUES (1, 'ada', 'Ada', 1700000000000);
INSERT INTO accounts VALUES (2, 'bob', json_extract('"Bob \"B.\" O''Neill \u2014 \u03a9"', '$'), 1700000000000);
INSERT INTO accounts VALUES (3, 'cem', 'Cem', 1700000000000);
CREATE TABLE devices (
        token_hash BLOB PRIMARY KEY,
        account INTEGER NOT NULL REFERENCES accounts,
        name TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO devices VALUES (X'357d6c60ec35938deab40aaaae46c635df8a386133fb1fc8c4525e2b1d4f1637', 3, 'Linux', 1700000000000);
INSERT INTO devices VALUES (X'6369c1b5357a06ffdb08077de107b7a65fe03330aa1f4e37d22bba2c57b1dae7', 1, 'Linux', 1700000000000);
INSERT INTO devices VALUES (X'6a0dca553efc968985e72c5c1f3beb51d0c37d11c395123cbb397212e2746017', 2, 'Linux', 1700000000000);
CREATE TABLE rooms (
        number INTEGER PRIMARY KEY,
        room TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL
    );
INSERT INTO rooms VALUES (1, 'general', 0);
INSERT INTO rooms VALUES (2, 'dm:ada:bob', 1700000000000);
CREATE TABLE members (
        room INTEGER NOT NULL REFERENCES rooms,
        account INTEGER NOT NULL REFERENCES accounts,
        PRIMARY KEY (room, account)
    ) WITHOUT ROWID;
INSERT INTO members VALUES (1, 1);
INSERT INTO members VALUES (1, 2);
INSERT INTO members VALUES (1, 3);
INSERT INTO members VALUES (2, 1);
INSERT INTO members VALUES (2, 2);
CREATE TABLE events (
        room INTEGER NOT NULL REFERENCES rooms,
        seq INTEGER NOT NULL CHECK (seq > 0),
        kind TEXT NOT NULL,
        sender INTEGER NOT NULL REFERENCES accounts,
        text TEXT NOT NULL,
        sent_at INTEGER NOT NULL,
        cid BLOB,
        PRIMARY KEY (room, seq)
    );
INSERT INTO events VALUES (1, 1, 'join', 1, '', 1700000000000, NULL);
INSERT INTO events VALUES (1, 2, 'join', 2, '', 1700000000000, NULL);
INSERT INTO events VALUES (1, 3, 'message', 1, 'hello', 1700000000000, X'0190000000000000fedcba9876543210');
INSERT INTO events VALUES (1, 4, 'message', 1, json_extract('"two\nlines\tand a tab"', '$'), 1700000000000, X'0190000000010001fedcba987654320f');
INSERT INTO events VALUES (1, 5, 'message', 1, json_extract('"\ud83d\udc69\u200d\ud83d\udc69\u200d\ud83d\udc67\u200d\ud83d\udc66 \ud83c\udff3\ufe0f\u200d\ud83c\udf08 \ud83c\uddf8\ud83c\uddea \u2615\ufe0f"', '$'), 1700000000000, X'0190000000020002fedcba987654320e');
INSERT INTO events VALUES (1, 6, 'message', 1, json_extract('"\u05e9\u05dc\u05d5\u05dd, \u0639\u0627\u0644\u0645"', '$'), 1700000000000, X'0190000000030003fedcba987654320d');
INSERT INTO events VALUES (1, 7, 'message', 1, json_extract('"\u202eright to left\u202c \u200f"', '$'), 1700000000000, X'0190000000040004fedcba987654320c');
INSERT INTO events VALUES (1, 8, 'message', 1, 'quotes " and \ and </script> {curly} $dollar [brackets]', 1700000000000, X'0190000000050005fedcba987654320b');
INSERT INTO events VALUES (1, 9, 'message', 1, json_extract('"e\u0301 versus \u00e9"', '$'), 1700000000000, X'0190000000060006fedcba987654320a');
INSERT INTO events VALUES (1, 10, 'message', 1, json_extract('"\udbff\udfff\ufffd\ufeff"', '$'), 1700000000000, X'0190000000070007fedcba9876543209');
INSERT INTO events VALUES (1, 11, 'message', 1, 'the same id', 1700000000000, X'0190000000080008fedcba9876543208');
INSERT INTO events VALUES (1, 12, 'message', 2, 'the same id', 1700000000000, X'0190000000080008fedcba9876543208');
INSERT INTO events VALUES (2, 1, 'message', 2, 'psst', 1700000000000, X'0190000000090009fedcba9876543207');
INSERT INTO events VALUES (2, 2, 'message', 1, 'yes?', 1700000000000, X'01900000000a000afedcba9876543206');
INSERT INTO events VALUES (1, 13, 'join', 3, '', 1700000000000, NULL);
INSERT INTO events VALUES (1, 14, 'message', 3, 'last', 1700000000000, X'01900000000b000bfedcba9876543205');
CREATE UNIQUE INDEX events_by_cid ON events (sender, cid) WHERE cid IS NOT NULL;
