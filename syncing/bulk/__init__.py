"""One act on many items: seen before it is done, frozen when asked for, done as a job (P-11).

Look at it before (`preview`), ask for it (`jobs`), have it done (`running`); what each act does to
a chunk of items stands in `acts`.
"""
