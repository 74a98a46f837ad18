-- Offers on pages that were seen, by what they are and where they stood. An event without an item counts for the page only.
WITH seen AS (
  SELECT
    CASE WHEN d.placement = '' THEN '(default)' ELSE d.placement END AS placement,
    CASE WHEN o.partner = '' THEN '(own)' ELSE o.partner END AS partner,
    o.kind,
    CASE WHEN o.category = '' THEN '(none)' ELSE o.category END AS category,
    CAST(d.day AS VARCHAR) AS day,
    CAST(o.position + 1 AS VARCHAR) AS position,
    o.relation,
    coalesce(e.engaged, 0) AS engaged, coalesce(e.accepted, 0) AS accepted, coalesce(e.converted, 0) AS converted,
    coalesce(e.gross, 0) AS gross, coalesce(e.returned, 0) AS returned, o.p_accept
  FROM offers_once AS o
  JOIN outcomes AS d ON d.decision_id = o.decision_id AND d.activated = 1 AND d.status = 'OK'
  LEFT JOIN (
    SELECT
      decision_id, item_id,
      max(CASE WHEN event = 'engaged' THEN 1 ELSE 0 END) AS engaged,
      max(CASE WHEN event = 'accepted' THEN 1 ELSE 0 END) AS accepted,
      max(CASE WHEN event = 'converted' THEN 1 ELSE 0 END) AS converted,
      sum(CASE WHEN event = 'converted' THEN CAST(value AS DOUBLE) ELSE 0 END) AS gross,
      sum(CASE WHEN event = 'returned' THEN CAST(value AS DOUBLE) ELSE 0 END) AS returned
    FROM events_once WHERE item_id <> '' GROUP BY decision_id, item_id
  ) AS e ON e.decision_id = o.decision_id AND e.item_id = o.item_id
),
split AS (
  SELECT 'placement' AS by_what, placement AS name, seen.* FROM seen
  UNION ALL SELECT 'partner' AS by_what, partner AS name, seen.* FROM seen
  UNION ALL SELECT 'kind' AS by_what, kind AS name, seen.* FROM seen
  UNION ALL SELECT 'category' AS by_what, category AS name, seen.* FROM seen
  UNION ALL SELECT 'day' AS by_what, day AS name, seen.* FROM seen
  UNION ALL SELECT 'position' AS by_what, position AS name, seen.* FROM seen
  UNION ALL SELECT 'relation' AS by_what, relation AS name, seen.* FROM seen
)
SELECT
  by_what, name,
  count(*) AS shown,
  sum(engaged) AS engaged,
  sum(accepted) AS accepted,
  sum(converted) AS converted,
  sum(gross) AS gross,
  sum(returned) AS returned,
  avg(p_accept) AS p_accept
FROM split
GROUP BY by_what, name
ORDER BY by_what, shown DESC, name
