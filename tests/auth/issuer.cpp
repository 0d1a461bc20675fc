#include "auth/issuer.hpp"

#include <rhonabwy.h>

#include <memory>
#include <stdexcept>

#include "auth/key.hpp"

namespace rowcast::test {
namespace {

struct release {
    void operator()(jwk_t* what) const { r_jwk_free(what); }
    void operator()(char* what) const { r_free(what); }
};
using jwk_ptr = std::unique_ptr<jwk_t, release>;

jwk_ptr blank()
{
    jwk_t* raw = nullptr;
    if (r_global_init() != RHN_OK || r_jwk_init(&raw) != RHN_OK) {
        throw std::runtime_error("no key");
    }
    return jwk_ptr(raw);
}

int kind_of(std::string_view algorithm)
{
    return algorithm == "EdDSA" ? R_KEY_TYPE_EDDSA : algorithm.starts_with("ES") ? R_KEY_TYPE_EC : R_KEY_TYPE_RSA;
}

unsigned bits_of(std::string_view algorithm, unsigned rsa_bits)
{
    return algorithm == "EdDSA" || algorithm == "ES256" ? 256 : algorithm == "ES384" ? 384 : algorithm == "ES512" ? 521 : rsa_bits;
}

std::string text_of(jwk_t* key)
{
    const std::unique_ptr<char, release> text(r_jwk_export_to_json_str(key, 0));
    return text.get();
}

std::string pem_of(const std::string& jwk)
{
    const jwk_ptr key = blank();
    std::string pem(20'000, '\0');
    std::size_t size = pem.size();
    if (r_jwk_import_from_json_str(key.get(), jwk.c_str()) != RHN_OK ||
        r_jwk_export_to_pem_der(key.get(), R_FORMAT_PEM, reinterpret_cast<unsigned char*>(pem.data()), &size, R_FLAG_IGNORE_REMOTE) != RHN_OK) {
        throw std::runtime_error("no PEM of this key");
    }
    pem.resize(size);
    return pem;
}

} // namespace

issuer::issuer(std::string_view algorithm, std::string key_id, unsigned rsa_bits)
    : algorithm_(algorithm), key_id_(std::move(key_id))
{
    const jwk_ptr secret = blank();
    const jwk_ptr open = blank();
    if (r_jwk_generate_key_pair(secret.get(), open.get(), kind_of(algorithm), bits_of(algorithm, rsa_bits), key_id_.c_str()) != RHN_OK) {
        throw std::runtime_error("no key pair for " + algorithm_);
    }
    if (key_id_.empty()) {
        r_jwk_delete_property_str(secret.get(), "kid");
        r_jwk_delete_property_str(open.get(), "kid");
    }
    private_ = text_of(secret.get());
    public_ = text_of(open.get());
}

std::string issuer::public_pem() const
{
    return pem_of(public_);
}

std::string issuer::private_pem() const
{
    return pem_of(private_);
}

std::string issuer::token(const std::string& claims) const
{
    return auth::sign(claims, algorithm_, {key_id_, {algorithm_}, private_});
}

std::string key_set_of(std::initializer_list<std::string> jwks)
{
    std::string all;
    for (const std::string& each : jwks) {
        all += (all.empty() ? "" : ",") + each;
    }
    return "{\"keys\":[" + all + "]}";
}

} // namespace rowcast::test
