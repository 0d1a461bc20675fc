#include "config/section.hpp"

#include "config/quantity.hpp"
#include "core/excerpt.hpp"
#include "core/nearest.hpp"
#include "core/whole_number.hpp"

#include <algorithm>
#include <optional>

namespace rowcast::config {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t most_listeners = 32;

// A scalar's spelling: a number from the environment is a text.
std::optional<std::string_view> spelling(const core::value& value)
{
    if (const core::number* number = value.as_number()) {
        return number->digits;
    }
    if (const std::string* text = value.as_string()) {
        return *text;
    }
    return std::nullopt;
}

std::string in_words(milliseconds duration)
{
    struct unit {
        std::int64_t length;
        const char* name;
    };

    for (const unit each : {unit{86'400'000, "d"}, unit{3'600'000, "h"}, unit{60'000, "m"}, unit{1000, "s"}}) {
        if (duration.count() % each.length == 0) {
            return std::to_string(duration.count() / each.length) + each.name;
        }
    }
    return std::to_string(duration.count()) + "ms";
}

std::string size_in_words(std::uint64_t size)
{
    int unit = 0;
    constexpr const char* names[] = {"B", "KB", "MB", "GB", "TB"};
    for (; unit < 4 && size >= 1024 && size % 1024 == 0; ++unit) {
        size /= 1024;
    }
    return std::to_string(size) + names[unit];
}

} // namespace

std::string describe(const core::value& value)
{
    if (const auto text = spelling(value)) {
        return core::excerpt(*text, 80);
    }
    if (const bool* flag = value.as_bool()) {
        return *flag ? "'true'" : "'false'";
    }
    return std::string(value.kind());
}

section::section(const core::value* tree, std::string path, std::vector<problem>& problems)
    : tree_(tree && !tree->is_null() ? tree : nullptr)
    , path_(std::move(path))
    , problems_(&problems)
{
    if (tree_ && !tree_->as_object()) {
        problems.push_back(
            {tree_->at, (path_.empty() ? "the file" : path_) + " takes keys and values, not " + describe(*tree_)});
        tree_ = nullptr;
    }
}

std::string section::path(std::string_view key) const
{
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void section::complain(const core::value& about, std::string_view key, const std::string& message)
{
    problems_->push_back({about.at, path(key) + " " + message});
}

const core::value* section::raw(std::string_view key)
{
    known_.push_back(key);
    const core::value* found = tree_ ? tree_->find(key) : nullptr;
    return found && !found->is_null() ? found : nullptr;
}

section section::inner(std::string_view key)
{
    return {raw(key), path(key), *problems_};
}

void section::each(std::string_view key, const std::function<void(section)>& read)
{
    const core::value* value = raw(key);
    if (!value) {
        return;
    }
    const core::list* items = value->as_list();
    if (!items) {
        complain(*value, key, "takes a list, not " + describe(*value));
        return;
    }
    for (std::size_t i = 0; i < items->size(); ++i) {
        const std::string item_path = path(key) + "[" + std::to_string(i) + "]";
        if ((*items)[i].is_null()) {
            problems_->push_back({(*items)[i].at, item_path + " is empty"});
            continue;
        }
        read({&(*items)[i], item_path, *problems_});
    }
}

void section::text(std::string_view key, std::string& out)
{
    const core::value* value = raw(key);
    if (!value) {
        return;
    }
    const auto spelled = spelling(*value);
    if (!spelled) {
        complain(*value, key, "takes a text, not " + describe(*value));
    } else if (spelled->find('\0') != std::string_view::npos) {
        complain(*value, key, "has a null character in it");
    } else {
        out = *spelled;
    }
}

void section::texts(std::string_view key, std::vector<std::string>& out)
{
    const core::value* value = raw(key);
    if (!value) {
        return;
    }
    const core::list* items = value->as_list();
    if (!items) {
        complain(*value, key, "takes a list of texts, not " + describe(*value));
        return;
    }
    std::vector<std::string> read;
    for (const core::value& item : *items) {
        const auto spelled = spelling(item);
        if (!spelled || spelled->empty() || spelled->find('\0') != std::string_view::npos) {
            complain(item, key,
                     "takes a list of texts, and one is " +
                         (spelled ? std::string("empty or has a null character") : describe(item)));
        } else if (std::find(read.begin(), read.end(), *spelled) != read.end()) {
            complain(item, key, "has " + describe(item) + " twice");
        } else {
            read.emplace_back(*spelled);
        }
    }
    out = std::move(read);
}

void section::flag(std::string_view key, bool& out)
{
    const core::value* value = raw(key);
    if (!value) {
        return;
    }
    const auto spelled = spelling(*value);
    if (const bool* given = value->as_bool()) {
        out = *given;
    } else if (spelled == "true" || spelled == "false") {
        out = spelled == "true";
    } else {
        complain(*value, key, "takes true or false, not " + describe(*value));
    }
}

void section::choice(std::string_view key, std::string& out, std::span<const std::string_view> words)
{
    const core::value* value = raw(key);
    if (!value) {
        return;
    }
    const auto spelled = spelling(*value);
    if (spelled && std::find(words.begin(), words.end(), *spelled) != words.end()) {
        out = *spelled;
        return;
    }
    std::string all;
    for (const std::string_view word : words) {
        all += (all.empty() ? "" : word == words.back() ? " or " : ", ") + std::string(word);
    }
    complain(*value, key,
             "takes " + all + ", not " + describe(*value) + (spelled ? core::did_you_mean(*spelled, words) : ""));
}

listener section::read_listener(const core::value& from, const std::string& path, bool for_clients)
{
    listener read;
    section inner(from.as_object() ? &from : nullptr, path, *problems_);
    const core::value* address = inner.present() ? inner.raw("address") : &from;
    const auto spelled = address ? spelling(*address) : std::nullopt;
    if (auto at = spelled ? parse_endpoint(*spelled) : std::nullopt) {
        read.at = std::move(*at);
    } else {
        problems_->push_back({from.at, (inner.present() ? inner.path("address") : path) +
                                           " takes an address and a port, like 127.0.0.1:8080 or [::]:8080, or unix:/run/rowcast/bridge.sock, not " +
                                           (address ? describe(*address) : "nothing")});
    }
    if (const core::value* mode = inner.raw("mode")) {
        const auto octal = spelling(*mode) ? parse_mode(*spelling(*mode)) : std::nullopt;
        if (!octal) {
            inner.complain(*mode, "mode", "takes who may connect, as chmod does, like 660, not " + describe(*mode));
        } else if (!read.at.is_path()) {
            inner.complain(*mode, "mode", "goes with a Unix socket only");
        }
        read.mode = octal.value_or(read.mode);
    }
    if (for_clients) {
        inner.flag("tls", read.tls);
        if (const core::value* tls = inner.raw("tls"); tls && read.tls && !raw("tls")) {
            inner.complain(*tls, "tls", "needs server.tls, with a certificate");
        }
        inner.flag("proxy_protocol", read.proxy_protocol);
    }
    inner.finish();
    return read;
}

void section::listen_on(std::string_view key, std::vector<listener>& out)
{
    const core::value* value = raw(key);
    if (!value) {
        return;
    }
    const core::list* items = value->as_list();
    if (items && (items->empty() || items->size() > most_listeners)) {
        complain(*value, key, "takes 1 to " + std::to_string(most_listeners) + " addresses");
        return;
    }
    std::vector<listener> all;
    for (std::size_t i = 0; i < (items ? items->size() : 1); ++i) {
        const core::value& item = items ? (*items)[i] : *value;
        listener read = read_listener(item, path(key) + (items ? "[" + std::to_string(i) + "]" : ""), true);
        const bool again = std::any_of(all.begin(), all.end(), [&](const listener& each) { return each.at == read.at; });
        if (again && (read.at.is_path() || read.at.port != 0)) {
            complain(item, key, "has " + to_string(read.at) + " twice");
        }
        all.push_back(std::move(read));
    }
    out = std::move(all);
}

void section::listen_on(std::string_view key, std::optional<listener>& out)
{
    const core::value* value = raw(key);
    if (value && spelling(*value) == "off") {
        out.reset();
    } else if (value) {
        out = read_listener(*value, path(key), false);
    }
}

void section::duration(std::string_view key, milliseconds& out, milliseconds least, milliseconds most)
{
    const core::value* value = raw(key);
    if (!value) {
        return;
    }
    const auto spelled = spelling(*value);
    const auto read = spelled ? parse_duration(*spelled) : std::nullopt;
    if (!read) {
        complain(*value, key, "takes a number with its unit (500ms, 5s, 10m, 24h, 7d), not " + describe(*value));
    } else if (*read < least || *read > most) {
        complain(*value, key,
                 "must be between " + in_words(least) + " and " + in_words(most) + ", and is " + describe(*value));
    } else {
        out = *read;
    }
}

std::uint64_t section::read_number(std::string_view key, std::uint64_t otherwise, std::uint64_t least,
                                   std::uint64_t most)
{
    const core::value* value = raw(key);
    if (!value) {
        return otherwise;
    }
    const auto number = core::whole_number<std::uint64_t>(spelling(*value).value_or(""));
    if (!number || *number < least || *number > most) {
        complain(*value, key,
                 "takes a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ", not " +
                     describe(*value));
        return otherwise;
    }
    return *number;
}

std::uint64_t section::read_size(std::string_view key, std::uint64_t otherwise, std::uint64_t least, std::uint64_t most)
{
    const core::value* value = raw(key);
    if (!value) {
        return otherwise;
    }
    const auto spelled = spelling(*value);
    const auto size = spelled ? parse_size(*spelled) : std::nullopt;
    if (!size) {
        complain(*value, key, "takes a number with its unit (512B, 64KB, 1MB, 2GB), not " + describe(*value));
        return otherwise;
    }
    if (*size < least || *size > most) {
        complain(*value, key,
                 "must be between " + size_in_words(least) + " and " + size_in_words(most) + ", and is " +
                     describe(*value));
        return otherwise;
    }
    return *size;
}

void section::finish()
{
    if (!tree_) {
        return;
    }
    for (const auto& [name, item] : *tree_->as_object()) {
        if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
            problems_->push_back(
                {item.at, "unknown key '" + path(core::beginning(name, 80)) + "'" + core::did_you_mean(name, known_)});
        }
    }
}

} // namespace rowcast::config
