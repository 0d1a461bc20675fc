#pragma once

#include "core/embedded_file.hpp"

#include <span>

namespace rowcast::cli::demo {

// src/cli/demo/page: what a browser gets, and the rules.
extern const std::span<const core::embedded_file> page_files;

} // namespace rowcast::cli::demo
