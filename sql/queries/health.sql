-- row: ok boolean
SELECT true AS ok
