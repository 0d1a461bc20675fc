#pragma once

#include "config/configuration.hpp"
#include "config/problem.hpp"
#include "core/value.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rowcast::config {

// One object of the file while it is read: each key is asked for by its name, and what nobody asked for is a mistake.
// A key that is absent or null leaves its default; a wrong value leaves it too, and a problem. Must not outlive the tree
// and the problems.
class section {
public:
    // `tree` may be null: then every key is absent.
    section(const core::value* tree, std::string path, std::vector<problem>& problems);

    bool present() const { return tree_ != nullptr; }

    core::mark at() const { return tree_ ? tree_->at : core::mark{}; }

    section inner(std::string_view key);
    // Calls `read` with each item of a list of objects.
    void each(std::string_view key, const std::function<void(section)>& read);
    // The value itself, for what has a form of its own; null where it is absent.
    const core::value* raw(std::string_view key);

    void text(std::string_view key, std::string& out);
    void texts(std::string_view key, std::vector<std::string>& out);
    void flag(std::string_view key, bool& out);
    void choice(std::string_view key, std::string& out, std::span<const std::string_view> words);
    // Each is an address, or an object with one and what goes with it.
    void listen_on(std::string_view key, std::vector<listener>& out);   // one, or a list of them
    void listen_on(std::string_view key, std::optional<listener>& out); // one, or `off`
    void duration(std::string_view key, std::chrono::milliseconds& out, std::chrono::milliseconds least,
                  std::chrono::milliseconds most);

    template <class Number>
    void number(std::string_view key, Number& out, std::uint64_t least, std::uint64_t most)
    {
        out = static_cast<Number>(read_number(key, out, least, most));
    }

    template <class Number>
    void size(std::string_view key, Number& out, std::uint64_t least,
              std::uint64_t most = std::numeric_limits<std::int64_t>::max())
    {
        out = static_cast<Number>(read_size(key, out, least, most));
    }

    // Refuses the keys that nobody asked for. Call it last.
    void finish();

    void complain(const core::value& about, std::string_view key, const std::string& message);
    std::string path(std::string_view key) const;

private:
    std::uint64_t read_number(std::string_view key, std::uint64_t otherwise, std::uint64_t least, std::uint64_t most);
    listener read_listener(const core::value& from, const std::string& path, bool for_clients);
    std::uint64_t read_size(std::string_view key, std::uint64_t otherwise, std::uint64_t least, std::uint64_t most);

    const core::value* tree_;
    std::string path_;
    std::vector<problem>* problems_;
    std::vector<std::string_view> known_;
};

// "'yes'", "a list": how a wrong value is named in a message.
std::string describe(const core::value& value);

} // namespace rowcast::config
