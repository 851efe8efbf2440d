-- Times are milliseconds since 1970 (UTC); flags are 0 or 1; JSON is text.
-- Nothing is removed yet. Retention will empty bodies, headers, requests and personal fields, and never remove a row that
-- recognises something again.

-- One authenticated inbound request. Its receipt key is unique within the source; a weak key is given up (NULL) once the
-- same body counts as news again. The scope is kept from the source's first weak key on: what came before decides nothing.
CREATE TABLE deliveries (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    source       TEXT NOT NULL,
    receipt_key  BLOB,
    weak_ms      BIGINT,
    scope        BLOB,
    received_at  BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    duplicates   BIGINT NOT NULL DEFAULT 0,
    headers      TEXT NOT NULL,
    body         BLOB,
    outcome      TEXT NOT NULL DEFAULT 'undecided',
    because      TEXT NOT NULL DEFAULT '',
    detail       TEXT,
    replay       TEXT,
    decided_at   BIGINT,
    UNIQUE (source, receipt_key)
);
CREATE INDEX deliveries_open ON deliveries (seq) WHERE outcome = 'undecided' OR replay IS NOT NULL;
CREATE INDEX deliveries_weak ON deliveries (source) WHERE weak_ms IS NOT NULL;
CREATE INDEX deliveries_scope ON deliveries (source, scope, seq) WHERE scope IS NOT NULL;

-- The current state of one stay, folded from its deliveries. `state` holds every field with the version that wrote it;
-- the other columns repeat what is searched for. `revision` guards against writing over another change. `planned` is the
-- id of the rules under which its clock runs were last planned.
CREATE TABLE stays (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    source      TEXT NOT NULL,
    state       TEXT NOT NULL,
    revision    BIGINT NOT NULL,
    status      TEXT,
    adopted     BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    property    TEXT,
    arrives_at  BIGINT,
    leaves_at   BIGINT,
    taken       BIGINT NOT NULL,
    planned     BIGINT NOT NULL DEFAULT 0,
    replan      BIGINT NOT NULL DEFAULT 0
);
-- Who is in a property one after the other: booked stays, and no blocks.
CREATE INDEX stays_taken ON stays (property, arrives_at, seq) WHERE taken = 1;
CREATE INDEX stays_arrives ON stays (arrives_at);
CREATE INDEX stays_leaves ON stays (leaves_at);
-- Stays whose neighbour has changed.
CREATE INDEX stays_replan ON stays (seq) WHERE replan = 1;

-- The sender's own names of stays, and keys that are no name: each means one stay within source and scope.
CREATE TABLE identities (
    value   TEXT NOT NULL,
    source  TEXT NOT NULL,
    scope   TEXT NOT NULL,
    stay_id TEXT NOT NULL,
    PRIMARY KEY (value, source, scope)
) WITHOUT ROWID;

-- Names that several stays may carry. `nameless` are the stays without an own name.
CREATE TABLE stay_references (
    value    TEXT NOT NULL,
    source   TEXT NOT NULL,
    nameless BIGINT NOT NULL,
    scope    TEXT NOT NULL,
    stay_id  TEXT NOT NULL,
    PRIMARY KEY (value, source, nameless, scope, stay_id)
) WITHOUT ROWID;

-- What recognises a payment or a message again.
CREATE TABLE fact_keys (
    source  TEXT NOT NULL,
    about   TEXT NOT NULL,
    id      TEXT NOT NULL,
    stay_id TEXT NOT NULL,
    content TEXT,
    PRIMARY KEY (source, about, id)
) WITHOUT ROWID;

-- What one fact changed, with everything a recipe sees of it and why each recipe did or did not run.
CREATE TABLE events (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    delivery_id TEXT NOT NULL,
    stay_id     TEXT NOT NULL,
    source      TEXT NOT NULL,
    types       TEXT NOT NULL,
    at          BIGINT NOT NULL,
    body        TEXT,
    explanation TEXT NOT NULL
);
CREATE INDEX events_delivery ON events (delivery_id);
CREATE INDEX events_stay ON events (stay_id, seq);

-- Deliveries that spoke of a stay and made no event of it: an older one, one that says nothing new.
CREATE TABLE told (
    stay_id     TEXT NOT NULL,
    delivery_id TEXT NOT NULL,
    PRIMARY KEY (stay_id, delivery_id)
) WITHOUT ROWID;

-- The texts of recipes that ran, by hash.
CREATE TABLE revisions (
    recipe     TEXT NOT NULL,
    hash       TEXT NOT NULL,
    file       TEXT NOT NULL,
    text       TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL,
    PRIMARY KEY (recipe, hash)
);

-- One firing of one recipe. `id` is made of its `run_key`, so it is what makes a run unique for ever. `attempts` counts up
-- with every attempt and so also tells one lease from the next. `turn` is the order in which runs became ready, whatever the
-- machine's clock says. A clock's run has the recipe's `entries` it stands for and the time it was `planned_at`.
CREATE TABLE runs (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    id               TEXT NOT NULL UNIQUE,
    run_key          TEXT NOT NULL,
    recipe           TEXT NOT NULL,
    revision         TEXT NOT NULL,
    event_id         TEXT,
    stay_id          TEXT,
    source           TEXT,
    code             TEXT,
    about            TEXT NOT NULL,
    queue            TEXT,
    mode             TEXT NOT NULL,
    names_gone       TEXT NOT NULL,
    after_gone       BIGINT NOT NULL,
    dry_run          BIGINT NOT NULL,
    lane             TEXT NOT NULL,
    state            TEXT NOT NULL,
    reason           TEXT NOT NULL DEFAULT '',
    step             BIGINT NOT NULL,
    attempts         BIGINT NOT NULL,
    failed_steps     BIGINT NOT NULL DEFAULT 0,
    step_attempts    BIGINT NOT NULL,
    step_first_at    BIGINT,
    step_until       BIGINT,
    generation       BIGINT NOT NULL,
    uncertain        BIGINT NOT NULL,
    cancel_requested BIGINT NOT NULL,
    by_hand          TEXT,
    lease_owner      TEXT,
    lease_until      BIGINT,
    due_at           BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    turn             BIGINT NOT NULL DEFAULT 0,
    entries          TEXT,
    planned_at       BIGINT,
    ended_by         TEXT
);
-- `state` stands at the end of runs_due and runs_dead for counting only: a scrape reads the index and no row.
CREATE INDEX runs_due ON runs (lane, due_at, seq, state) WHERE state IN ('ready', 'retrying');
-- What waits and is given up, whatever holds it up.
CREATE INDEX runs_until ON runs (step_until) WHERE state IN ('ready', 'retrying') AND step_until IS NOT NULL;
CREATE INDEX runs_open ON runs (stay_id, queue, turn) WHERE state IN ('ready', 'running', 'retrying');
CREATE INDEX runs_leased ON runs (lease_until) WHERE state = 'running';
CREATE INDEX runs_scheduled ON runs (due_at) WHERE state = 'scheduled';
-- The next time of a recipe.
CREATE INDEX runs_recipe ON runs (recipe, due_at) WHERE state = 'scheduled';
CREATE INDEX runs_dead ON runs (seq, state) WHERE state IN ('dead', 'parked');
CREATE INDEX runs_failed_steps ON runs (seq) WHERE failed_steps > 0;
CREATE INDEX runs_stay ON runs (stay_id, seq);
CREATE INDEX runs_event ON runs (event_id);
CREATE INDEX runs_clock ON runs (stay_id, recipe) WHERE entries IS NOT NULL;
-- What was passed over while the machine's clock was ahead.
CREATE INDEX runs_skipped ON runs (updated_at) WHERE state = 'skipped';
CREATE INDEX runs_late ON runs (planned_at) WHERE ended_by = 'late';

-- What became of planned runs before they fired: one row a move, a calling off, a return.
CREATE TABLE run_changes (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id     TEXT NOT NULL,
    stay_id    TEXT,
    at         BIGINT NOT NULL,
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    from_due   BIGINT NOT NULL,
    to_due     BIGINT NOT NULL,
    because    TEXT NOT NULL
);
CREATE INDEX run_changes_stay ON run_changes (stay_id, seq);
CREATE INDEX run_changes_run ON run_changes (run_id, seq);

-- What planning reads of recipes, properties and zones, by hash: each that was ever in force.
CREATE TABLE rules (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    hash      TEXT NOT NULL UNIQUE,
    loaded_at BIGINT NOT NULL
);

-- One row: which rules are in force and since when; and the last turn that was given out.
CREATE TABLE plan_state (
    id    BIGINT PRIMARY KEY,
    rules BIGINT NOT NULL,
    since BIGINT NOT NULL,
    turn  BIGINT NOT NULL
);
INSERT INTO plan_state (id, rules, since, turn) VALUES (1, 0, 0, 0);

-- One rendered action of a run: the request as it goes out again after a failure or a crash, under the same key.
CREATE TABLE steps (
    run_id       TEXT NOT NULL,
    position     BIGINT NOT NULL,
    step_id      TEXT NOT NULL,
    state        TEXT NOT NULL,
    request      TEXT,
    step_key     TEXT NOT NULL,
    at_most_once BIGINT NOT NULL,
    output       TEXT,
    PRIMARY KEY (run_id, position)
) WITHOUT ROWID;

-- One try of one step; written before anything is sent, completed afterwards, never changed again.
CREATE TABLE attempts (
    run_id      TEXT NOT NULL,
    number      BIGINT NOT NULL,
    position    BIGINT NOT NULL,
    step_key    TEXT NOT NULL,
    cause       TEXT NOT NULL,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT,
    outcome     TEXT,
    summary     TEXT,
    excerpt     TEXT,
    PRIMARY KEY (run_id, number)
) WITHOUT ROWID;

-- Connections that did not accept our credentials three times in a row: their runs wait.
CREATE TABLE paused_connections (
    name     TEXT PRIMARY KEY,
    since    BIGINT NOT NULL,
    reason   TEXT NOT NULL,
    probe_at BIGINT NOT NULL
);

-- One row: how often the database was opened for work. Whoever finds another number than his own has been overtaken, and
-- stops. `filler` is written to see whether the disk takes something.
CREATE TABLE fence (
    id     BIGINT PRIMARY KEY,
    epoch  BIGINT NOT NULL,
    filler BLOB
);
INSERT INTO fence (id, epoch) VALUES (1, 0);
