#include "config/restart.hpp"

namespace rowcast::config {

std::vector<std::string> needs_restart(const configuration& running, const configuration& wanted)
{
    std::vector<std::string> names;
    const auto differs = [&](const char* name, bool same) {
        if (!same) {
            names.emplace_back(name);
        }
    };
    differs("database.url", running.database.url == wanted.database.url);
    differs("database.rows", running.database.rows == wanted.database.rows);
    differs("database.poll_interval", running.database.poll_interval == wanted.database.poll_interval);
    differs("database.notify_channels", running.database.notify_channels == wanted.database.notify_channels);
    differs("server.listen", running.server.listen == wanted.server.listen);
    differs("server.admin", running.server.admin == wanted.server.admin);
    return names;
}

} // namespace rowcast::config
