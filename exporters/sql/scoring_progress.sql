-- How far has scoring come?
SELECT * FROM scoring_progress ORDER BY version DESC LIMIT 1
