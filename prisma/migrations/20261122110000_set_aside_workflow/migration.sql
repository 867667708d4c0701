-- Set-aside messages can be looked for by what they are about and by the version that refused them, and replayed in bulk.

ALTER TABLE "SetAsideMessage"
    ADD COLUMN "kind" TEXT,
    ADD COLUMN "productKey" TEXT,
    ADD COLUMN "deviceName" TEXT,
    ADD COLUMN "refusedBy" TEXT;

-- What the topics of earlier messages tell. Their kind and version stay unknown.
UPDATE "SetAsideMessage" m SET "productKey" = t.names[1], "deviceName" = t.names[2]
FROM (
    SELECT "id", regexp_match("topic",
        '^(?:/sys)?(?:/(?:as/)?mqtt/status(?=/[^/]+/[^/]+$))?/(?!(?:as|mqtt|sys|ext|ota|shadow|broadcast)/)([^/]{1,256})/([^/]{1,256})(?:/.*)?$') AS names
    FROM "SetAsideMessage" WHERE "topic" IS NOT NULL
) t
WHERE m."id" = t."id" AND t.names IS NOT NULL;

-- One index for each filter, in the order of the list. A topic may be longer than an index can hold: its beginning serves.
CREATE INDEX "SetAsideMessage_reason_receivedAt_id_idx" ON "SetAsideMessage"("reason", "receivedAt", "id");
CREATE INDEX "SetAsideMessage_kind_receivedAt_id_idx" ON "SetAsideMessage"("kind", "receivedAt", "id");
CREATE INDEX "SetAsideMessage_productKey_receivedAt_id_idx" ON "SetAsideMessage"("productKey", "receivedAt", "id");
CREATE INDEX "SetAsideMessage_productKey_deviceName_receivedAt_id_idx"
    ON "SetAsideMessage"("productKey", "deviceName", "receivedAt", "id");
CREATE INDEX "SetAsideMessage_refusedBy_receivedAt_id_idx" ON "SetAsideMessage"("refusedBy", "receivedAt", "id");
CREATE INDEX "SetAsideMessage_topic_idx" ON "SetAsideMessage"((left("topic", 512) COLLATE "C"), "receivedAt", "id");
CREATE INDEX "SetAsideMessage_aside_idx" ON "SetAsideMessage"("receivedAt", "id") WHERE "replayedAt" IS NULL;
CREATE INDEX "SetAsideMessage_replayed_idx" ON "SetAsideMessage"("receivedAt", "id") WHERE "replayedAt" IS NOT NULL;

CREATE TABLE "SetAsideReplay" (
    "id" UUID NOT NULL,
    "filter" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "requestedAt" TIMESTAMPTZ(3) NOT NULL,
    "startedAt" TIMESTAMPTZ(3),
    "finishedAt" TIMESTAMPTZ(3),
    "total" INTEGER NOT NULL,
    "stored" INTEGER NOT NULL DEFAULT 0,
    "duplicate" INTEGER NOT NULL DEFAULT 0,
    "stillRefused" INTEGER NOT NULL DEFAULT 0,
    "failed" INTEGER NOT NULL DEFAULT 0,
    "doneAt" TIMESTAMPTZ(3),
    "doneId" UUID,
    "lastAt" TIMESTAMPTZ(3),
    "lastId" UUID,

    CONSTRAINT "SetAsideReplay_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "SetAsideReplay_requestedAt_id_idx" ON "SetAsideReplay"("requestedAt", "id");
CREATE INDEX "SetAsideReplay_finishedAt_requestedAt_id_idx" ON "SetAsideReplay"("finishedAt", "requestedAt", "id");
