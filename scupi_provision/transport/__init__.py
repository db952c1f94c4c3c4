"""How bytes travel: Fabric over one or more hops, or a local process. The only room that knows Fabric."""
