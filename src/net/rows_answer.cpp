#include "net/rows_answer.hpp"

#include <algorithm>
#include <utility>

#include "core/row.hpp"
#include "protocol/server_message.hpp"

namespace rowcast::net {

rows_answer::rows_answer(hub::shard& home, const services& with, subscription_request what, std::function<void()> ready)
    : home_(home)
    , with_(with)
    , what_(std::move(what))
    , mark_(with, what_.who)
    , ready_(std::move(ready))
{
    hub::row_request wanted;
    for (const hub::feed::request& each : what_.wanted) {
        wanted.views.push_back(std::get<std::shared_ptr<const policy::visibility>>(each.view.target));
    }
    if (what_.asked.limit > 0) {
        wanted.limit = what_.asked.limit;
    }
    reading_ = home_.read_rows(std::move(wanted));
    ask();
}

void rows_answer::ask()
{
    asked_ = true;
    reading_->next([this](auto page) { take(std::move(page)); });
}

std::optional<std::string> rows_answer::next()
{
    if (text_.empty()) {
        return std::nullopt;
    }
    if (reading_ && !asked_) {
        ask();
    }
    return std::exchange(text_, {});
}

void rows_answer::begin_view(std::size_t view)
{
    if (view > 0) {
        text_ += "],";
    }
    if (what_.asked.named) {
        core::append_quoted(text_, what_.wanted[view].id);
        text_ += ':';
    }
    text_ += '[';
    empty_ = true;
}

void rows_answer::take(core::result<hub::row_reading::page> page)
{
    if (!page) {
        fail(page.error());
        return;
    }
    if (began_) {
        write(*page);
        return;
    }
    // The caller was authorized before the rows were read: what has ended their rights since must be known first.
    const std::string cursor = page->cursor;
    home_.await(cursor, [this, alive = std::weak_ptr(alive_), page = std::move(*page)] {
        if (!alive.expired() && reading_) {
            write(page);
        }
    });
}

void rows_answer::write(const hub::row_reading::page& page)
{
    asked_ = false;
    if (std::any_of(what_.wanted.begin(), what_.wanted.end(), [](const auto& each) { return each.view.is_superseded(); })) {
        fail({core::error_code::permissions_changed, ""});
        return;
    }
    if (!std::exchange(began_, true)) {
        text_ = what_.asked.named ? R"({"rows":{)" : R"({"rows":)";
        begin_view(0);
    }
    if (page.count > 0) {
        text_ += (std::exchange(empty_, false) ? "" : ",") + page.rows;
    }
    cut_ = cut_ || page.cut;
    if (!page.more && page.view + 1 < what_.wanted.size()) {
        begin_view(page.view + 1);
    } else if (!page.more) {
        text_ += what_.asked.named ? "]}" : "]";
        text_ += cut_ ? R"(,"more":true,"cursor":)" : R"(,"more":false,"cursor":)";
        core::append_quoted(text_, mark_.put_on(page.cursor));
        text_ += '}';
        reading_.reset();
    }
    ready_();
}

void rows_answer::reconsider()
{
    mark_ = cursor_mark(with_, what_.who);
    if (!lost(what_, with_).empty()) {
        fail({core::error_code::permissions_changed, ""});
    }
}

void rows_answer::fail(const core::failure& why)
{
    if (!reading_) {
        return;
    }
    reading_.reset();
    if (began_) {
        text_ += (what_.asked.named ? R"(]},"error":)" : R"(],"error":)") + protocol::error("", why) + "}";
    } else {
        refused_ = why;
    }
    ready_();
}

} // namespace rowcast::net
