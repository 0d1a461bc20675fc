#pragma once

#include <catch2/catch.hpp>

#include <string>

#include "core/result.hpp"

// How Catch prints a result: CHECK(parse(...)) shows why it failed.
template <class T>
struct Catch::StringMaker<boost::system::result<T, rowcast::core::failure>> {
    static std::string convert(const boost::system::result<T, rowcast::core::failure>& what)
    {
        return what ? "a value" : std::string(to_string(what.error().code)) + ": " + what.error().message;
    }
};
