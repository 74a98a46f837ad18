-- Offers on pages that were seen, by what they are and where they stood: what brought most comes first, positions in their order.
WITH split AS (
  SELECT 'placement' AS by_what, placement AS name, seen.* FROM offers_seen AS seen
  UNION ALL SELECT 'partner' AS by_what, partner AS name, seen.* FROM offers_seen AS seen
  UNION ALL SELECT 'kind' AS by_what, kind AS name, seen.* FROM offers_seen AS seen
  UNION ALL SELECT 'category' AS by_what, category AS name, seen.* FROM offers_seen AS seen
  UNION ALL SELECT 'day' AS by_what, day AS name, seen.* FROM offers_seen AS seen
  UNION ALL SELECT 'position' AS by_what, CAST(position + 1 AS VARCHAR) AS name, seen.* FROM offers_seen AS seen
  UNION ALL SELECT 'relation' AS by_what, relation AS name, seen.* FROM offers_seen AS seen
)
SELECT *
FROM (
  SELECT
    by_what, name,
    count(*) AS shown,
    sum(engaged) AS engaged,
    sum(accepted) AS accepted,
    sum(converted) AS converted,
    sum(gross) AS gross,
    sum(returned) AS returned,
    sum(contribution) AS contribution,
    avg(p_accept) AS p_accept
  FROM split
  GROUP BY by_what, name
) AS parts
ORDER BY by_what, CASE WHEN by_what = 'position' THEN shown ELSE gross - returned END DESC, name
