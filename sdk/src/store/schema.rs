//! The tables, and how those of earlier releases become those of this one.

use rusqlite::Connection;

use super::StoreError;

/// One step: the statements that lead from the version before to the next.
pub(super) type Step = &'static str;

/// The steps, from an empty database on. The version of a store is how many were taken; it is kept
/// as `user_version`. A step that was in a release never changes.
pub(super) const STEPS: &[Step] = &[VERSION_1];

const VERSION_1: Step = "
    -- What the engine keeps, as bytes.
    CREATE TABLE record (
        space INTEGER NOT NULL,
        scope BLOB NOT NULL,
        key BLOB NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (space, scope, key)
    ) STRICT, WITHOUT ROWID;

    -- The states of groups.
    CREATE TABLE state (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        group_id BLOB NOT NULL,
        name BLOB NOT NULL,
        parent BLOB,
        UNIQUE (group_id, name)
    ) STRICT;

    -- The entries of a state: each has either its value or the list of the chunks of it.
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY,
        state INTEGER NOT NULL REFERENCES state (id),
        key BLOB NOT NULL,
        value BLOB,
        chunks BLOB,
        UNIQUE (state, key),
        CHECK ((value IS NULL) <> (chunks IS NULL))
    ) STRICT;

    -- The chunks, each once. What they hold is in a table of its own, so that counting a reference
    -- does not write it again.
    CREATE TABLE chunk (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        hash BLOB NOT NULL UNIQUE,
        refs INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE chunk_data (
        id INTEGER PRIMARY KEY REFERENCES chunk (id),
        data BLOB NOT NULL
    ) STRICT;

    -- The history. Positions are never given again, so that a cursor stays where it is. A text that
    -- the body ends with is not kept twice: then tail says how many bytes of the body it is.
    CREATE TABLE message (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        group_id BLOB NOT NULL,
        id BLOB NOT NULL,
        author BLOB NOT NULL,
        device BLOB NOT NULL,
        seq INTEGER NOT NULL,
        written INTEGER NOT NULL,
        received INTEGER NOT NULL,
        own INTEGER NOT NULL,
        delivery BLOB NOT NULL,
        text TEXT,
        tail INTEGER,
        body BLOB NOT NULL,
        UNIQUE (group_id, id),
        CHECK (text IS NULL OR tail IS NULL)
    ) STRICT;
    CREATE INDEX message_in_group ON message (group_id, position);

    -- The words of the texts. It has no text of its own, and forgets words for good.
    CREATE VIRTUAL TABLE message_text USING fts5 (
        text, content = '', tokenize = 'unicode61 remove_diacritics 2'
    );
    INSERT INTO message_text (message_text, rank) VALUES ('secure-delete', 1);
";

/// The version of the store, which is how many steps have been taken.
pub(super) fn version(connection: &Connection) -> Result<u32, StoreError> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    u32::try_from(version).map_err(|_| StoreError::Damaged)
}

/// Takes the steps that are missing. All of them happen or none does, for it runs in a transaction
/// of its own.
pub(super) fn migrate(connection: &mut Connection, steps: &[Step]) -> Result<(), StoreError> {
    let known = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
    let found = version(&transaction)?;
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    for step in &steps[found as usize..] {
        transaction.execute_batch(step)?;
    }
    if found < known {
        transaction.pragma_update(None, "user_version", known)?;
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three steps, of which the second moves what is there.
    const EXAMPLE: &[Step] = &[
        "CREATE TABLE person (name TEXT); INSERT INTO person VALUES ('Ann Lee');",
        "ALTER TABLE person ADD COLUMN family TEXT;
         UPDATE person SET family = substr(name, instr(name, ' ') + 1);",
        "CREATE INDEX family ON person (family);",
    ];

    fn family(connection: &Connection) -> Option<String> {
        connection.query_row("SELECT family FROM person", [], |row| row.get(0)).ok()
    }

    #[test]
    fn every_version_leads_to_the_last() {
        for start in 0..=EXAMPLE.len() {
            let mut connection = Connection::open_in_memory().unwrap();
            migrate(&mut connection, &EXAMPLE[..start]).unwrap();
            assert_eq!(version(&connection), Ok(start as u32));
            migrate(&mut connection, EXAMPLE).unwrap();
            assert_eq!(version(&connection), Ok(3));
            assert_eq!(family(&connection).as_deref(), Some("Lee"));
        }
    }

    #[test]
    fn a_step_that_fails_leaves_everything_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &EXAMPLE[..1]).unwrap();
        let broken = &[EXAMPLE[0], EXAMPLE[1], "CREATE TABLE person (again TEXT);"];
        assert!(migrate(&mut connection, broken).is_err());
        assert_eq!(version(&connection), Ok(1));
        assert_eq!(family(&connection), None);
        migrate(&mut connection, EXAMPLE).unwrap();
        assert_eq!(family(&connection).as_deref(), Some("Lee"));
    }

    #[test]
    fn later_versions_are_refused_and_kept() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, EXAMPLE).unwrap();
        let error = migrate(&mut connection, &EXAMPLE[..1]).unwrap_err();
        assert_eq!(error, StoreError::NewerSchema { found: 3, known: 1 });
        assert_eq!(family(&connection).as_deref(), Some("Lee"));
    }
}
