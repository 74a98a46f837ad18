-- How much of what there is appears: distinct items of the slates, and the share that the ten commonest have.
SELECT
  count(*) AS items,
  sum(shown) AS shown,
  sum(CASE WHEN place <= 10 THEN shown ELSE 0 END) AS shown_of_ten,
  sum(converted) AS converted
FROM (
  SELECT item_id, shown, converted, row_number() OVER (ORDER BY shown DESC, item_id) AS place
  FROM (
    SELECT o.item_id, count(*) AS shown, sum(CASE WHEN e.decision_id IS NULL THEN 0 ELSE 1 END) AS converted
    FROM offers_once AS o
    LEFT JOIN (SELECT DISTINCT decision_id, item_id FROM events_once WHERE event = 'converted') AS e
      ON e.decision_id = o.decision_id AND e.item_id = o.item_id
    WHERE NOT o.ghost
    GROUP BY o.item_id
  ) AS counted
) AS items
