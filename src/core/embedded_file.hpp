#pragma once

#include <string_view>

namespace rowcast::core {

/// A text file of the source tree that was compiled into the program (rowcast_embed_files in cmake/embed.cmake).
struct embedded_file {
    std::string_view name;
    std::string_view text;
};

}
