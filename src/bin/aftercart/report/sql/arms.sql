-- Sums over the units of each arm: enough for ratios of sums with intervals that hold where units decide more than once.
SELECT
  comparison, arm,
  min(arm_shows) AS shows,
  min(least_share) AS least_share,
  max(most_share) AS most_share,
  count(*) AS units,
  sum(n) AS n,
  sum(n * n) AS nn,
  sum(gross) AS gross, sum(gross * gross) AS gross2, sum(gross * n) AS gross_n,
  sum(net) AS net, sum(net * net) AS net2, sum(net * n) AS net_n,
  sum(added) AS added, sum(added * added) AS added2, sum(added * n) AS added_n,
  sum(added_net) AS added_net, sum(added_net * added_net) AS added_net2, sum(added_net * n) AS added_net_n,
  sum(later) AS later, sum(later * later) AS later2, sum(later * n) AS later_n,
  sum(unshown) AS unshown,
  sum(order_value) AS order_value, sum(known) AS known,
  sum(contribution) AS contribution, sum(contribution * contribution) AS contribution2, sum(contribution * n) AS contribution_n,
  sum(ordered) AS ordered, sum(ordered * ordered) AS ordered2, sum(ordered * n) AS ordered_n
FROM (
  SELECT
    comparison, arm, unit, unit_hash,
    min(arm_shows) AS arm_shows,
    min(share) AS least_share, max(share) AS most_share,
    CAST(count(*) AS DOUBLE) AS n,
    sum(page_gross) AS added, sum(page_net) AS added_net, sum(later_net) AS later,
    sum(CASE WHEN shows = 'offers' THEN 0 ELSE 1 END) AS unshown,
    sum(CAST(coalesce(order_value, 0) AS DOUBLE)) AS order_value,
    sum(CASE WHEN order_value IS NULL THEN 0 ELSE 1 END) AS known,
    sum(gross) AS gross, sum(net) AS net, sum(contribution) AS contribution, CAST(sum(ordered) AS DOUBLE) AS ordered
  FROM placed
  WHERE unit <> 'none'
  GROUP BY comparison, arm, unit, unit_hash
) AS units
GROUP BY comparison, arm
ORDER BY comparison, arm
