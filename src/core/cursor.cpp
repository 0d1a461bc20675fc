#include "core/cursor.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <cassert>

#include "core/base64url.hpp"

namespace rowcast::core {
namespace {

constexpr char version = 1;
constexpr char version_inside = 2;
constexpr std::size_t identity_size = 6;
constexpr std::size_t signature_size = 10;
constexpr std::size_t most_in_progress = 8 * 1024; // beyond any max_connections plus max_prepared_transactions in use

// LEB128, as in Protocol Buffers' "Base 128 Varints".
void put(std::string& out, std::uint64_t number)
{
    while (number >= 0x80) {
        out += static_cast<char>(number | 0x80);
        number >>= 7;
    }
    out += static_cast<char>(number);
}

bool take(std::string_view& in, std::uint64_t& number)
{
    number = 0;
    for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(in.front());
        in.remove_prefix(1);
        number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

// xmin, then everything as a distance from the one before: an idle server's snapshot takes five bytes.
void put(std::string& out, const snapshot& shot)
{
    put(out, shot.xmin);
    put(out, shot.xmax - shot.xmin);
    put(out, shot.in_progress.size());
    transaction_id last = shot.xmin;
    for (const transaction_id xid : shot.in_progress) {
        put(out, xid - last);
        last = xid;
    }
}

bool take(std::string_view& in, snapshot& shot)
{
    std::uint64_t distance = 0;
    std::uint64_t count = 0;
    if (!take(in, shot.xmin) || !take(in, distance) || !take(in, count) || count > most_in_progress) {
        return false;
    }
    shot.xmax = shot.xmin + distance;
    transaction_id last = shot.xmin;
    for (std::uint64_t i = 0; i < count; ++i) {
        if (!take(in, distance)) {
            return false;
        }
        shot.in_progress.push_back(last += distance);
    }
    return shot.is_valid();
}

failure malformed()
{
    return {error_code::cursor_malformed, std::string(describe(error_code::cursor_malformed).sentence)};
}

} // namespace

bool cursor::covers(transaction_id xid, place where) const
{
    return seen.sees(xid) || (inside && inside->target.sees(xid) && where <= inside->last);
}

cursor_codec::cursor_codec(std::string_view identity, std::string key) : key_(std::move(key))
{
    assert(key_.size() >= 16);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(identity.data()), identity.size(), digest);
    identity_.assign(reinterpret_cast<const char*>(digest), identity_size);
}

std::string cursor_codec::signature(std::string_view bytes) const
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
         bytes.size(), digest, &size);
    return {reinterpret_cast<const char*>(digest), signature_size};
}

std::string cursor_codec::seal(const cursor& position) const
{
    std::string bytes(1, position.inside ? version_inside : version);
    bytes += identity_;
    put(bytes, position.seen);
    if (position.inside) {
        put(bytes, position.inside->target);
        put(bytes, position.inside->last.transaction_end);
        put(bytes, position.inside->last.id);
    }
    bytes += signature(bytes);
    return to_base64url(bytes);
}

result<cursor> cursor_codec::open(std::string_view text) const
{
    if (text.empty() || text.size() > longest) {
        return malformed();
    }
    const auto bytes = from_base64url(text);
    if (!bytes || bytes->size() < 1 + identity_size + signature_size) {
        return malformed();
    }
    const std::string_view all = *bytes;
    const char kind = all.front();
    if (kind != version && kind != version_inside) {
        return malformed();
    }
    const std::string_view body = all.substr(0, all.size() - signature_size);
    cursor read;
    std::string_view rest = body.substr(1 + identity_size);
    bool complete = take(rest, read.seen);
    if (complete && kind == version_inside) {
        auto& inside = read.inside.emplace();
        complete = take(rest, inside.target) && take(rest, inside.last.transaction_end) && take(rest, inside.last.id);
    }
    if (!complete || !rest.empty()) {
        return malformed();
    }
    // Another log's key is not ours: what bears another identity cannot be checked further, and need not be.
    if (body.substr(1, identity_size) != identity_) {
        return failure{error_code::cursor_foreign, std::string(describe(error_code::cursor_foreign).sentence)};
    }
    const std::string expected = signature(body);
    if (CRYPTO_memcmp(expected.data(), all.data() + body.size(), signature_size) != 0) {
        return malformed();
    }
    return read;
}

} // namespace rowcast::core
