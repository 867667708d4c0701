-- Who is at work and what each holds, and how far the spool of each has been stored.

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
