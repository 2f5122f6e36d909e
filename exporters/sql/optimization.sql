-- How does an optimisation request stand?
SELECT * FROM optimizations FINAL WHERE optimization_id = {optimization_id:String} LIMIT 1
