#include "support/paths.hpp"

#include <cstdlib>

namespace rowcast::support {

std::filesystem::path source_dir()
{
    return ROWCAST_SOURCE_DIR;
}

std::filesystem::path rowcast_binary()
{
    const char* given = std::getenv("ROWCAST_BINARY");
    return given != nullptr ? given : ROWCAST_BINARY;
}

std::filesystem::path cluster_dir()
{
    const char* chosen = std::getenv("ROWCAST_TEST_CLUSTER");
    return chosen != nullptr ? chosen : ROWCAST_CLUSTER_DIR;
}

}
