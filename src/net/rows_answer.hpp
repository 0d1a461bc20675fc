#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "hub/shard.hpp"
#include "net/marked_cursor.hpp"
#include "net/router.hpp"

namespace rowcast::net {

// /v1/rows without its socket: the answer's body in pieces, as the client takes them. One that breaks off says why in
// `error`, and has no cursor. One thread.
class rows_answer {
public:
    // `ready` is called when something has come; it must not call back.
    rows_answer(hub::shard& home, const services& with, subscription_request what, std::function<void()> ready);

    // Why there is no answer at all: known when the first piece would be.
    const std::optional<core::failure>& refused() const { return refused_; }

    // The next piece; nothing where it has to be waited for, or where there is no more.
    std::optional<std::string> next();
    bool is_over() const { return !reading_ && text_.empty(); }

    void reconsider(); // ends where the caller has lost the right to what is read
    void fail(const core::failure& why);

private:
    void take(core::result<hub::row_reading::page> page);
    void write(const hub::row_reading::page& page);
    void begin_view(std::size_t view);
    void ask();

    hub::shard& home_;
    const services& with_;
    const subscription_request what_;
    cursor_mark mark_;
    std::function<void()> ready_;
    std::string text_;
    bool began_ = false;
    bool empty_ = true; // the list that is open
    bool cut_ = false;
    bool asked_ = false;
    std::optional<core::failure> refused_;
    std::unique_ptr<hub::row_reading> reading_; // until the end
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

} // namespace rowcast::net
