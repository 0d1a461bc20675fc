#pragma once

#include "support/database.hpp"

#include <filesystem>
#include <string>

namespace rowcast::support {

/// What pg_dump writes of a database. It is the server's own pg_dump, or the system's where a bare download has none; the
/// destructor removes the file.
class dump {
public:
    /// Whether there is a pg_dump that this server's databases can be dumped by: it refuses servers newer than itself. Warns
    /// where there is none; `PATH=folder/of/a/newer/one:$PATH` helps.
    static bool possible(const database& of);

    /// Throws when pg_dump fails; so does `restore` when psql does, at the first error.
    explicit dump(const database& of, const std::string& options = "");
    ~dump();
    dump(const dump&) = delete;
    dump& operator=(const dump&) = delete;

    /// `options` of psql's come before the dump, e.g. "-c 'drop table t'".
    void restore(const database& into, const std::string& options = "") const;

private:
    std::filesystem::path file_;
};

}
