-- Customers by arm, 30 and 90 days from their first order in the log on: who ordered later, as `ordered` events say; what they brought
-- through pages and in those later orders, less returns; and how many transactions of theirs the log has. Only customers whose days
-- are over by the newest decision; those of sessions and orders cannot be followed.
WITH entered AS (
  SELECT comparison, arm, unit_hash, min(at_utc) AS entered_at
  FROM placed
  WHERE unit = 'customer' AND at_utc IS NOT NULL
  GROUP BY comparison, arm, unit_hash
),
windows AS (
  SELECT 30 AS days, e.*, entered_at + INTERVAL '30' DAY AS until_at FROM entered AS e
  UNION ALL SELECT 90 AS days, e.*, entered_at + INTERVAL '90' DAY AS until_at FROM entered AS e
),
came AS (
  SELECT
    p.comparison, p.arm, p.unit_hash, e.at_utc,
    CASE WHEN e.event = 'ordered' THEN 1 ELSE 0 END AS later,
    CASE WHEN e.event = 'returned' THEN -1 ELSE 1 END * CAST(e.value AS DOUBLE) AS amount
  FROM events_once AS e
  JOIN decisions_once AS d ON d.decision_id = e.decision_id
  JOIN placed AS p ON p.group_id = d.group_id
  WHERE e.event IN ('converted', 'ordered', 'returned') AND p.unit = 'customer'
),
orders AS (
  SELECT w.comparison, w.arm, w.days, w.unit_hash, count(*) AS transactions
  FROM windows AS w
  JOIN placed AS p
    ON p.comparison = w.comparison AND p.arm = w.arm AND p.unit_hash = w.unit_hash AND p.at_utc <= w.until_at
  WHERE p.unit = 'customer'
  GROUP BY w.comparison, w.arm, w.days, w.unit_hash
),
customers AS (
  SELECT
    w.comparison, w.arm, w.days, w.unit_hash,
    max(CASE WHEN w.until_at <= l.newest_at THEN 1 ELSE 0 END) AS is_over,
    max(coalesce(c.later, 0)) AS later,
    sum(coalesce(c.amount, 0)) AS amount
  FROM windows AS w
  CROSS JOIN (SELECT max(at_utc) AS newest_at FROM decisions_once) AS l
  LEFT JOIN came AS c
    ON c.comparison = w.comparison AND c.arm = w.arm AND c.unit_hash = w.unit_hash AND c.at_utc <= w.until_at
  GROUP BY w.comparison, w.arm, w.days, w.unit_hash
)
SELECT
  c.comparison, c.arm, c.days,
  count(*) AS customers,
  sum(is_over) AS units,
  sum(is_over * later) AS later,
  sum(is_over * amount) AS amount,
  sum(is_over * amount * amount) AS amount2,
  sum(is_over * o.transactions) AS transactions
FROM customers AS c
JOIN orders AS o ON o.comparison = c.comparison AND o.arm = c.arm AND o.days = c.days AND o.unit_hash = c.unit_hash
GROUP BY c.comparison, c.arm, c.days
ORDER BY c.comparison, c.days, c.arm
