#pragma once

#include <filesystem>

namespace rowcast::support {

/// The root of the source tree.
std::filesystem::path source_dir();

/// The `rowcast` executable of this build. ROWCAST_BINARY overrides it.
std::filesystem::path rowcast_binary();

/// Where tests/support/cluster leaves the run's `url` and the like. ROWCAST_TEST_CLUSTER overrides it.
std::filesystem::path cluster_dir();

}
