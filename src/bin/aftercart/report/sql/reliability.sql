-- What p_accept said and what came of it: offers that were seen, by tenths of p_accept within a placement.
SELECT
  placement, tenth,
  count(*) AS shown,
  avg(p_accept) AS expected,
  sum(accepted) AS accepted
FROM (
  SELECT placement, p_accept, accepted,
    ntile(10) OVER (PARTITION BY placement ORDER BY p_accept, decision_id, position) AS tenth
  FROM offers_seen
) AS tenths
GROUP BY placement, tenth
ORDER BY placement, tenth
