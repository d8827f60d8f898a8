module dex

go 1.23

// Version 2.41.1; Go knows no tag of Dex as a version.
require github.com/dexidp/dex v0.0.0-20240807174518-43956db7fd75

// What Dex itself replaces by a folder of its own.
require github.com/dexidp/dex/api/v2 v2.2.0
