#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>
#include <utility>

#include "core/error_code.hpp"

namespace rowcast::core {

// What input can cause is a value: a code for programs, a sentence for people.
struct failure {
    error_code code = error_code::internal;
    std::string message;
};

template <class T>
using result = boost::system::result<T, failure>;

// `result::value()` on a failure is a programmer's mistake, and says which failure was not looked at.
[[noreturn]] inline void throw_exception_from_error(const failure& what, const boost::source_location&)
{
    throw std::logic_error("unchecked failure: " + what.message);
}

} // namespace rowcast::core
