#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/error_code.hpp"
#include "net/services.hpp"
#include "policy/identity.hpp"

namespace rowcast::net {

// The cursors that a client is given end in a mark of the rights that it had (policy::fingerprint): what it holds was
// chosen by them, so with others it must read anew. The mark is not signed: who leaves it out or makes one up has only
// themselves to blame for what they miss.
class cursor_mark {
public:
    cursor_mark() = default; // of nobody: marks nothing
    cursor_mark(const services& with, const policy::identity& who);

    std::string put_on(std::string_view cursor) const;
    std::string_view text() const { return text_; }

    // A cursor that comes back: without its mark, or the reason why it cannot be used.
    struct returned {
        std::optional<std::string> cursor;
        std::optional<core::error_code> reset;
    };
    returned take_off(const std::optional<std::string>& cursor) const;

private:
    std::string text_;
};

} // namespace rowcast::net
