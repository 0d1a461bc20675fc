#pragma once

#include "cli/demo/child.hpp"
#include "cli/demo/programs.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace rowcast::cli::demo {

// A folder in the temporary folder that only its owner can enter. The destructor removes it, unless it is kept.
class temporary_folder {
public:
    explicit temporary_folder(const std::optional<account>& owner);
    ~temporary_folder();
    temporary_folder(const temporary_folder&) = delete;

    const std::filesystem::path& path() const { return path_; }

    void keep() { kept_ = true; }

private:
    std::filesystem::path path_;
    bool kept_ = false;
};

// A private PostgreSQL: reachable only through a socket in a folder that only its owner (and root) can enter. No port, so
// none can be taken, and no password to choose. The destructor stops it.
class cluster {
public:
    // Makes and starts it. Throws with the end of its log where it does not come up.
    cluster(const programs& found, const std::filesystem::path& root, const std::optional<account>& owner,
            interruption& stop);

    // A connection string for libpq.
    std::string url(std::string_view user, std::string_view database) const;

    // How a person connects.
    std::string psql_line(std::string_view user, std::string_view database) const;

    // Runs SQL with psql; the first error ends it.
    void execute(std::string_view user, std::string_view database, std::string_view sql, interruption& stop) const;

    const std::filesystem::path& socket_folder() const { return root_; }

    // Where its programs write, and who they are.
    child::options surroundings(std::string_view log_name) const;

    bool running() { return server_->running(); }

    void stop() { server_->end(); }

    const std::filesystem::path log() const { return root_ / "postgres.log"; }

private:
    programs programs_;
    std::filesystem::path root_;
    std::optional<account> owner_;
    std::optional<child> server_;
};

} // namespace rowcast::cli::demo
