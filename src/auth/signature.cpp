#include "auth/signature.hpp"

#include <rhonabwy.h>

#include <memory>
#include <stdexcept>

namespace rowcast::auth {
namespace {

struct release {
    void operator()(jws_t* what) const { r_jws_free(what); }
    void operator()(jwk_t* what) const { r_jwk_free(what); }
    void operator()(char* what) const { r_free(what); }
};

// The library's set-up is not thread-safe; a function's static is.
void set_up_library()
{
    static const int done = r_global_init();
    if (done != RHN_OK) {
        throw std::runtime_error("librhonabwy cannot be initialised");
    }
}

std::unique_ptr<jwk_t, release> make_key(const config::jwt_key& from)
{
    jwk_t* raw = nullptr;
    if (r_jwk_init(&raw) != RHN_OK) {
        throw std::bad_alloc();
    }
    std::unique_ptr<jwk_t, release> key(raw);
    const std::basic_string<unsigned char> secret(from.secret.begin(), from.secret.end());
    if (r_jwk_import_from_symmetric_key(key.get(), secret.data(), secret.size()) != RHN_OK) {
        throw std::runtime_error("the key's secret cannot be used");
    }
    return key;
}

} // namespace

bool is_supported(std::string_view algorithm)
{
    return algorithm == "HS256";
}

bool is_signed(std::string_view token, const config::jwt_key& key)
{
    set_up_library();
    // R_PARSE_NONE: no key from the header, no unsigned token.
    const std::unique_ptr<jws_t, release> read(
        r_jws_quick_parsen(token.data(), token.size(), R_PARSE_NONE, R_FLAG_IGNORE_REMOTE));
    if (!read || r_jws_get_alg(read.get()) != r_str_to_jwa_alg(key.algorithm.c_str())) {
        return false;
    }
    return r_jws_verify_signature(read.get(), make_key(key).get(), R_FLAG_IGNORE_REMOTE) == RHN_OK;
}

std::string sign(std::string_view payload, const config::jwt_key& key)
{
    set_up_library();
    jws_t* raw = nullptr;
    if (r_jws_init(&raw) != RHN_OK) {
        throw std::bad_alloc();
    }
    const std::unique_ptr<jws_t, release> token(raw);
    const std::basic_string<unsigned char> bytes(payload.begin(), payload.end());
    if (r_jws_set_alg(raw, r_str_to_jwa_alg(key.algorithm.c_str())) != RHN_OK ||
        r_jws_set_header_str_value(raw, "typ", "JWT") != RHN_OK ||
        r_jws_set_payload(raw, bytes.data(), bytes.size()) != RHN_OK) {
        throw std::runtime_error("the token cannot be made");
    }
    const std::unique_ptr<char, release> text(r_jws_serialize(raw, make_key(key).get(), R_FLAG_IGNORE_REMOTE));
    if (!text) {
        throw std::runtime_error("the token cannot be signed with " + key.algorithm);
    }
    return text.get();
}

} // namespace rowcast::auth
