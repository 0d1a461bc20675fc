#include "auth/key.hpp"

#include <rhonabwy.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "config/jwt.hpp"

namespace rowcast::auth {
namespace {

constexpr unsigned least_rsa_bits = 2048; // RFC 7518 section 3.3
constexpr std::size_t most_keys = 100;

struct release {
    void operator()(jws_t* what) const { r_jws_free(what); }
    void operator()(jwk_t* what) const { r_jwk_free(what); }
    void operator()(char* what) const { r_free(what); }
};
struct release_set { // to the compiler a jwks_t is a jwk_t
    void operator()(jwks_t* what) const { r_jwks_free(what); }
};
using jwk_ptr = std::unique_ptr<jwk_t, release>;

// The library's set-up is not thread-safe; a function's static is.
void set_up_library()
{
    static const int done = r_global_init();
    if (done != RHN_OK) {
        throw std::runtime_error("librhonabwy cannot be initialised");
    }
}

jwk_ptr new_key()
{
    set_up_library();
    jwk_t* raw = nullptr;
    if (r_jwk_init(&raw) != RHN_OK) {
        throw std::bad_alloc();
    }
    return jwk_ptr(raw);
}

core::failure unusable(std::string why)
{
    return {core::error_code::bad_request, std::move(why)};
}

std::string property(jwk_t* key, const char* name)
{
    const char* const found = r_jwk_get_property_str(key, name);
    return found ? found : "";
}

std::string text_of(jwk_t* key)
{
    const std::unique_ptr<char, release> text(r_jwk_export_to_json_str(key, 0));
    if (!text) {
        throw std::bad_alloc();
    }
    return text.get();
}

// What a key of its kind and size can be used for; nothing: for nothing here.
std::vector<std::string> algorithms_for(jwk_t* key)
{
    unsigned bits = 0;
    const int type = r_jwk_key_type(key, &bits, R_FLAG_IGNORE_REMOTE);
    if ((type & R_KEY_TYPE_RSA) != 0) {
        return bits < least_rsa_bits ? std::vector<std::string>{}
                                     : std::vector<std::string>{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"};
    }
    if ((type & R_KEY_TYPE_EC) != 0) {
        const std::string curve = property(key, "crv");
        return curve == "P-256"   ? std::vector<std::string>{"ES256"}
               : curve == "P-384" ? std::vector<std::string>{"ES384"}
               : curve == "P-521" ? std::vector<std::string>{"ES512"}
                                  : std::vector<std::string>{};
    }
    if ((type & R_KEY_TYPE_EDDSA) != 0 && property(key, "crv") == "Ed25519") {
        return {"EdDSA"};
    }
    if ((type & R_KEY_TYPE_SYMMETRIC) != 0) {
        return bits < 256 ? std::vector<std::string>{} : std::vector<std::string>{"HS256", "HS384", "HS512"};
    }
    return {};
}

bool contains(const std::vector<std::string>& all, std::string_view wanted)
{
    return std::find(all.begin(), all.end(), wanted) != all.end();
}

} // namespace

key secret_key(std::string_view algorithm, std::string_view secret)
{
    const jwk_ptr made = new_key();
    const std::basic_string<unsigned char> bytes(secret.begin(), secret.end());
    if (r_jwk_import_from_symmetric_key(made.get(), bytes.data(), bytes.size()) != RHN_OK) {
        throw std::runtime_error("the key's secret cannot be used");
    }
    return {"", {std::string(algorithm)}, text_of(made.get())};
}

core::result<key> public_key(std::string_view algorithm, const std::string& pem)
{
    const jwk_ptr made = new_key();
    const auto* bytes = reinterpret_cast<const unsigned char*>(pem.data());
    const auto imports = [&](int what) { return r_jwk_import_from_pem_der(made.get(), what, R_FORMAT_PEM, bytes, pem.size()) == RHN_OK; };
    if (pem.find("PRIVATE KEY") != std::string::npos) {
        return unusable("is a private key; the bridge needs the public one only (openssl pkey -in KEY -pubout)");
    }
    if (!imports(R_X509_TYPE_PUBKEY) && !imports(R_X509_TYPE_CERTIFICATE)) {
        return unusable("is neither a public key nor a certificate in PEM");
    }
    if (!contains(algorithms_for(made.get()), algorithm)) {
        return unusable("is not a key for " + std::string(algorithm) + " (its kind, its curve, or an RSA key of less than 2048 bits)");
    }
    return key{"", {std::string(algorithm)}, text_of(made.get())};
}

core::result<key_set> read_key_set(const std::string& json, bool secrets_allowed)
{
    set_up_library();
    jwks_t* raw = nullptr;
    if (r_jwks_init(&raw) != RHN_OK) {
        throw std::bad_alloc();
    }
    const std::unique_ptr<jwks_t, release_set> set(raw);
    // RHN_ERROR_PARAM: some keys could not be read, which is how sets grow (RFC 7517 section 5); the others are there.
    if (const int how = r_jwks_import_from_json_str(raw, json.c_str()); how != RHN_OK && how != RHN_ERROR_PARAM) {
        return unusable("is not a JSON Web Key Set: {\"keys\": [...]}");
    }
    key_set usable;
    for (std::size_t i = 0; i < std::min(r_jwks_size(raw), most_keys); ++i) {
        const jwk_ptr each(r_jwks_get_at(raw, i));
        std::vector<std::string> algorithms = algorithms_for(each.get());
        if (const std::string only = property(each.get(), "alg"); !only.empty()) {
            algorithms = contains(algorithms, only) ? std::vector{only} : std::vector<std::string>{};
        }
        const std::string use = property(each.get(), "use");
        const bool secret = !algorithms.empty() && config::is_symmetric(algorithms.front());
        if (algorithms.empty() || (!use.empty() && use != "sig") || (secret && !secrets_allowed)) {
            continue;
        }
        usable.push_back({property(each.get(), "kid"), std::move(algorithms), text_of(each.get())});
    }
    if (usable.empty()) {
        return unusable("has no key that tokens could be verified with");
    }
    return usable;
}

bool is_signed(std::string_view token, std::string_view algorithm, const key& by)
{
    set_up_library();
    // R_PARSE_NONE: no key from the header, no unsigned token.
    const std::unique_ptr<jws_t, release> read(r_jws_quick_parsen(token.data(), token.size(), R_PARSE_NONE, R_FLAG_IGNORE_REMOTE));
    const std::string name(algorithm);
    if (!contains(by.algorithms, algorithm) || !read || r_jws_get_alg(read.get()) != r_str_to_jwa_alg(name.c_str())) {
        return false;
    }
    const jwk_ptr held = new_key();
    return r_jwk_import_from_json_str(held.get(), by.jwk.c_str()) == RHN_OK &&
           r_jws_verify_signature(read.get(), held.get(), R_FLAG_IGNORE_REMOTE) == RHN_OK;
}

std::string sign(std::string_view payload, std::string_view algorithm, const key& by)
{
    set_up_library();
    jws_t* raw = nullptr;
    if (r_jws_init(&raw) != RHN_OK) {
        throw std::bad_alloc();
    }
    const std::unique_ptr<jws_t, release> token(raw);
    const std::string name(algorithm);
    const std::basic_string<unsigned char> bytes(payload.begin(), payload.end());
    const jwk_ptr held = new_key();
    if (r_jwk_import_from_json_str(held.get(), by.jwk.c_str()) != RHN_OK ||
        r_jws_set_alg(raw, r_str_to_jwa_alg(name.c_str())) != RHN_OK || r_jws_set_header_str_value(raw, "typ", "JWT") != RHN_OK ||
        (!by.id.empty() && r_jws_set_header_str_value(raw, "kid", by.id.c_str()) != RHN_OK) ||
        r_jws_set_payload(raw, bytes.data(), bytes.size()) != RHN_OK) {
        throw std::runtime_error("the token cannot be made");
    }
    const std::unique_ptr<char, release> text(r_jws_serialize(raw, held.get(), R_FLAG_IGNORE_REMOTE));
    if (!text) {
        throw std::runtime_error("the token cannot be signed with " + name);
    }
    return text.get();
}

} // namespace rowcast::auth
