-- What the other queries stand on. Tables: decisions, offers, events, as in the log. Amounts are minor units. What several queries
-- ask is a table, so that it is found out once.

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
  coalesce(e.page_gross, 0) - coalesce(e.returned, 0) + coalesce(e.later_returned, 0) AS page_net,
  coalesce(e.later, 0) - coalesce(e.later_returned, 0) AS later_net,
  coalesce(e.returned, 0) AS returned,
  coalesce(e.later, 0) AS later,
  coalesce(e.later_returned, 0) AS later_returned,
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
    -- What was not taken on the page came back from a later order.
    sum(CASE WHEN event = 'returned' AND item_id <> '' AND taken = 0 THEN CAST(value AS DOUBLE) ELSE 0 END) AS later_returned,
    sum(
      CASE WHEN event IN ('converted', 'ordered') THEN 1 WHEN event = 'returned' THEN -1 ELSE 0 END
      * CAST(coalesce(margin, 0) + coalesce(payout, 0) AS DOUBLE)
    ) AS contribution,
    max(CASE WHEN event = 'ordered' THEN 1 ELSE 0 END) AS ordered
  FROM (
    SELECT *, max(CASE WHEN event = 'converted' THEN 1 ELSE 0 END) OVER (PARTITION BY decision_id, item_id) AS taken
    FROM events_once
  ) AS told
  GROUP BY decision_id
) AS e ON e.decision_id = d.decision_id;

-- What came of each order: a page that an answer replaced and the page that replaced it belong together.
CREATE TABLE transactions AS
SELECT
  d.group_id, d.at_utc, d.day, d.unit, d.unit_hash, d.shows, d.holdout_bucket, d.held_out, d.holdout_share, d.order_value,
  d.experiment_1, d.arm_1, d.share_1, d.experiment_2, d.arm_2, d.share_2,
  d.experiment_3, d.arm_3, d.share_3, d.experiment_4, d.arm_4, d.share_4,
  o.page_gross, o.page_net, o.later_net, o.gross, o.net, o.contribution, o.ordered
FROM (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY group_id ORDER BY CASE WHEN decision_id = group_id THEN 0 ELSE 1 END, ring, number
    ) AS page
  FROM decisions_once
) AS d
JOIN (
  SELECT
    group_id, sum(page_gross) AS page_gross, sum(page_net) AS page_net, sum(later_net) AS later_net, sum(gross) AS gross,
    sum(net) AS net, sum(contribution) AS contribution,
    max(ordered) AS ordered
  FROM outcomes
  GROUP BY group_id
) AS o ON o.group_id = d.group_id
WHERE d.page = 1;

-- Offers on pages that were seen, with what came of each. An event without an item counts for the page only.
CREATE TABLE offers_seen AS
SELECT
  o.decision_id,
  CASE WHEN d.placement = '' THEN '(default)' ELSE d.placement END AS placement,
  CASE WHEN o.partner = '' THEN '(own)' ELSE o.partner END AS partner,
  o.kind,
  CASE WHEN o.category = '' THEN '(no product)' ELSE o.category END AS category,
  CAST(d.day AS VARCHAR) AS day,
  o.position,
  o.relation,
  o.p_accept,
  coalesce(e.engaged, 0) AS engaged, coalesce(e.accepted, 0) AS accepted, coalesce(e.converted, 0) AS converted,
  coalesce(e.gross, 0) AS gross, coalesce(e.returned, 0) AS returned, coalesce(e.contribution, 0) AS contribution
FROM offers_once AS o
JOIN outcomes AS d ON d.decision_id = o.decision_id AND d.activated = 1 AND d.status = 'OK'
LEFT JOIN (
  SELECT
    decision_id, item_id,
    max(CASE WHEN event = 'engaged' THEN 1 ELSE 0 END) AS engaged,
    max(CASE WHEN event = 'accepted' THEN 1 ELSE 0 END) AS accepted,
    max(CASE WHEN event = 'converted' THEN 1 ELSE 0 END) AS converted,
    sum(CASE WHEN event = 'converted' THEN CAST(value AS DOUBLE) ELSE 0 END) AS gross,
    sum(CASE WHEN event = 'returned' THEN CAST(value AS DOUBLE) ELSE 0 END) AS returned,
    sum(
      CASE WHEN event = 'converted' THEN 1 WHEN event = 'returned' THEN -1 ELSE 0 END
      * CAST(coalesce(margin, 0) + coalesce(payout, 0) AS DOUBLE)
    ) AS contribution
  FROM events_once WHERE item_id <> '' GROUP BY decision_id, item_id
) AS e ON e.decision_id = o.decision_id AND e.item_id = o.item_id;

-- Where orders stand in what is compared: a row per order and comparison.
CREATE VIEW placed AS
SELECT 'global holdout' AS comparison, CASE WHEN held_out THEN 'held out' ELSE 'all others' END AS arm,
  CASE WHEN held_out THEN shows ELSE 'offers' END AS arm_shows,
  CASE WHEN held_out THEN holdout_share ELSE 1 - holdout_share END AS share, o.*
FROM transactions AS o WHERE holdout_bucket IS NOT NULL
UNION ALL SELECT experiment_1 AS comparison, arm_1 AS arm, shows AS arm_shows, share_1 AS share, o.* FROM transactions AS o WHERE experiment_1 IS NOT NULL
UNION ALL SELECT experiment_2 AS comparison, arm_2 AS arm, shows AS arm_shows, share_2 AS share, o.* FROM transactions AS o WHERE experiment_2 IS NOT NULL
UNION ALL SELECT experiment_3 AS comparison, arm_3 AS arm, shows AS arm_shows, share_3 AS share, o.* FROM transactions AS o WHERE experiment_3 IS NOT NULL
UNION ALL SELECT experiment_4 AS comparison, arm_4 AS arm, shows AS arm_shows, share_4 AS share, o.* FROM transactions AS o WHERE experiment_4 IS NOT NULL;
