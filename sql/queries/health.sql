-- boolean ok
SELECT true AS ok
