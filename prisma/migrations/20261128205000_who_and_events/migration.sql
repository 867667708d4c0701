-- Erasing users: what was asked for and how far it has come, and the keyed hashes of those who were erased.

CREATE TABLE "ErasureKey" (
    "id" TEXT NOT NULL,
    "secret" TEXT,
    "lengths" INTEGER[] NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ErasureKey_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "ErasedIdentity" (
    "hash" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "identity" TEXT NOT NULL,
    "scope" TEXT,
    "tenant" TEXT,
    "erasedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ErasedIdentity_pkey" PRIMARY KEY ("hash")
);

CREATE INDEX "ErasedIdentity_identity_idx" ON "ErasedIdentity"("identity");

CREATE TABLE "ErasedUnbinding" (
    "identity" TEXT NOT NULL,
    "productKey" TEXT NOT NULL,
    "deviceName" TEXT NOT NULL,
    "scopeId" TEXT NOT NULL,
    "tenantId" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "owned" BOOLEAN NOT NULL,
    "receivedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ErasedUnbinding_pkey"
        PRIMARY KEY ("identity", "productKey", "deviceName", "scopeId", "tenantId", "at", "owned")
);

CREATE TABLE "Erasure" (
    "id" UUID NOT NULL,
    "hash" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "subject" TEXT,
    "state" TEXT NOT NULL,
    "phase" TEXT NOT NULL,
    "requestedAt" TIMESTAMPTZ(3) NOT NULL,
    "startedAt" TIMESTAMPTZ(3),
    "finishedAt" TIMESTAMPTZ(3),
    "bindings" INTEGER NOT NULL DEFAULT 0,
    "events" INTEGER NOT NULL DEFAULT 0,
    "setAside" INTEGER NOT NULL DEFAULT 0,
    "replays" INTEGER NOT NULL DEFAULT 0,
    "doneAt" TIMESTAMPTZ(3),
    "doneId" UUID,
    "spools" TEXT,

    CONSTRAINT "Erasure_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "Erasure_requestedAt_id_idx" ON "Erasure"("requestedAt", "id");
CREATE INDEX "Erasure_finishedAt_requestedAt_id_idx" ON "Erasure"("finishedAt", "requestedAt", "id");

-- What a writer asks before it writes anything that may name a user: the keys under which somebody was erased, as JSON, or null.
-- The lock is held until its transaction ends. Who erases takes it alone: so that waits for all that were begun before, and all
-- that begin later see whom it erased. Each statement of a volatile function sees what was committed before it: also while
-- it waited for the lock.
CREATE FUNCTION "partitions"."erasure_keys"(lock BIGINT) RETURNS TEXT
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    found TEXT;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(lock);
    SELECT json_agg(json_build_object('id', k."id", 'secret', k."secret", 'lengths', k."lengths"))::TEXT INTO found FROM "ErasureKey" k;
    RETURN found;
END
$$;

-- The log by identifier (which is also how the bindings of a user are found in it) and by kind, each through time.
CREATE INDEX "EventLog_identifier_at_idx" ON "EventLog"("identifier", "at") WHERE "identifier" IS NOT NULL;
CREATE INDEX "EventLog_kind_at_idx" ON "EventLog"("kind", "at");
DROP INDEX "EventLog_requestId_idx";
CREATE INDEX "EventLog_requestId_at_idx" ON "EventLog"("requestId", "at") WHERE "requestId" IS NOT NULL;
