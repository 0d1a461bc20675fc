#pragma once

#include <span>

#include "core/embedded_file.hpp"

namespace rowcast::app {

// The files of src/app/page, and the chart library.
extern const std::span<const core::embedded_file> page_files;

} // namespace rowcast::app
