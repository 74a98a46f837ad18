{
  "targets": [{
    "target_name": "aftercart",
    "sources": ["addon.c"],
    "cflags": ["<!@(pkg-config --cflags aftercart)"],
    "ldflags": ["<!@(pkg-config --libs-only-L aftercart)"],
    "libraries": ["<!@(pkg-config --libs-only-l aftercart)"]
  }]
}
