#pragma once

#include <string_view>

namespace rowcast::postgres {

/// What `psql -f sql/triggers/install.sql` would run, as one script.
extern const std::string_view install_sql;

/// sql/triggers/uninstall.sql.
extern const std::string_view uninstall_sql;

}
