-- What the other queries stand on. Tables: decisions, offers, events, as in the log. Amounts are minor units.

-- Each event once, however often it was sent.
CREATE VIEW events_once AS
SELECT event_id, decision_id, at_utc, event, item_id, value, margin, payout, code
FROM (
  SELECT *, row_number() OVER (PARTITION BY event_id ORDER BY at_utc, event, item_id) AS nth FROM events
) AS numbered
WHERE nth = 1;

-- Each decision once: a page that is loaded again decides the same again.
CREATE VIEW decisions_once AS
SELECT *
FROM (
  SELECT *, row_number() OVER (PARTITION BY decision_id ORDER BY ring, number) AS nth FROM decisions
) AS numbered
WHERE nth = 1;

CREATE VIEW offers_once AS
SELECT *
FROM (
  SELECT *, row_number() OVER (PARTITION BY decision_id, position ORDER BY item_id) AS nth FROM offers
) AS numbered
WHERE nth = 1;

-- What came of each decision.
CREATE VIEW outcomes AS
SELECT
  d.*,
  coalesce(e.activated, 0) AS activated,
  coalesce(e.engaged, 0) AS engaged,
  coalesce(e.accepted, 0) AS accepted,
  coalesce(e.failed, 0) AS failed,
  coalesce(e.converted, 0) AS converted,
  coalesce(e.dismissed, 0) AS dismissed,
  coalesce(e.page_gross, 0) AS page_gross,
  coalesce(e.page_gross, 0) + coalesce(e.later, 0) AS gross,
  coalesce(e.page_gross, 0) + coalesce(e.later, 0) - coalesce(e.returned, 0) AS net,
  coalesce(e.returned, 0) AS returned,
  coalesce(e.contribution, 0) AS contribution,
  coalesce(e.ordered, 0) AS ordered
FROM decisions_once AS d
LEFT JOIN (
  SELECT
    decision_id,
    max(CASE WHEN event = 'activated' THEN 1 ELSE 0 END) AS activated,
    max(CASE WHEN event = 'engaged' THEN 1 ELSE 0 END) AS engaged,
    sum(CASE WHEN event = 'accepted' THEN 1 ELSE 0 END) AS accepted,
    sum(CASE WHEN event = 'accept_failed' THEN 1 ELSE 0 END) AS failed,
    sum(CASE WHEN event = 'converted' THEN 1 ELSE 0 END) AS converted,
    max(CASE WHEN event = 'dismissed' THEN 1 ELSE 0 END) AS dismissed,
    sum(CASE WHEN event = 'converted' THEN CAST(value AS DOUBLE) ELSE 0 END) AS page_gross,
    sum(CASE WHEN event = 'ordered' THEN CAST(value AS DOUBLE) ELSE 0 END) AS later,
    sum(CASE WHEN event = 'returned' THEN CAST(value AS DOUBLE) ELSE 0 END) AS returned,
    sum(
      CASE WHEN event IN ('converted', 'ordered') THEN 1 WHEN event = 'returned' THEN -1 ELSE 0 END
      * CAST(coalesce(margin, 0) + coalesce(payout, 0) AS DOUBLE)
    ) AS contribution,
    max(CASE WHEN event = 'ordered' THEN 1 ELSE 0 END) AS ordered
  FROM events_once
  GROUP BY decision_id
) AS e ON e.decision_id = d.decision_id;

-- Where decisions stand in what is compared: a row per decision and comparison.
CREATE VIEW placed AS
SELECT 'global holdout' AS comparison, CASE WHEN held_out THEN 'held out' ELSE 'all others' END AS arm,
  CASE WHEN held_out THEN shows ELSE 'offers' END AS arm_shows,
  CASE WHEN held_out THEN holdout_share ELSE 1 - holdout_share END AS share, o.*
FROM outcomes AS o WHERE holdout_bucket IS NOT NULL
UNION ALL SELECT experiment_1 AS comparison, arm_1 AS arm, shows AS arm_shows, share_1 AS share, o.* FROM outcomes AS o WHERE experiment_1 IS NOT NULL
UNION ALL SELECT experiment_2 AS comparison, arm_2 AS arm, shows AS arm_shows, share_2 AS share, o.* FROM outcomes AS o WHERE experiment_2 IS NOT NULL
UNION ALL SELECT experiment_3 AS comparison, arm_3 AS arm, shows AS arm_shows, share_3 AS share, o.* FROM outcomes AS o WHERE experiment_3 IS NOT NULL
UNION ALL SELECT experiment_4 AS comparison, arm_4 AS arm, shows AS arm_shows, share_4 AS share, o.* FROM outcomes AS o WHERE experiment_4 IS NOT NULL;
