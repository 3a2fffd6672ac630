"""Reading what runs wrote: tables over any number of runs, the printed table, the graph of lineage."""
