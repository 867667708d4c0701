-- Who is at work and what each holds, how far the spool of each has been stored, and the last batches that each wrote.

CREATE TABLE "IngestReplica" (
    "replica" TEXT NOT NULL,
    "run" UUID NOT NULL,
    "version" TEXT NOT NULL,
    "startedAt" TIMESTAMPTZ(3) NOT NULL,
    "heartbeatAt" TIMESTAMPTZ(3) NOT NULL,
    "stopped" BOOLEAN NOT NULL DEFAULT FALSE,
    "inHand" INTEGER NOT NULL,
    "spool" UUID,
    "spooled" BIGINT NOT NULL,
    "spoolBytes" BIGINT NOT NULL,

    CONSTRAINT "IngestReplica_pkey" PRIMARY KEY ("replica", "run")
);

CREATE TABLE "SpoolPosition" (
    "spool" UUID NOT NULL,
    "replica" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "storedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "SpoolPosition_pkey" PRIMARY KEY ("spool")
);

-- A few rows a process, written over and over: room on their page keeps their index as it is.
CREATE TABLE "IngestBatch" (
    "run" UUID NOT NULL,
    "slot" INTEGER NOT NULL,
    "batch" UUID NOT NULL,
    "outcomes" TEXT NOT NULL,

    CONSTRAINT "IngestBatch_pkey" PRIMARY KEY ("run", "slot")
) WITH (fillfactor = 30);
