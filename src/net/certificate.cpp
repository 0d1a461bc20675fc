#include "net/certificate.hpp"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace rowcast::net {
namespace {

template <auto Free>
struct freed {
    template <class T>
    void operator()(T* owned) const
    {
        Free(owned);
    }
};

template <class T, auto Free>
using owned = std::unique_ptr<T, freed<Free>>;

using file = owned<BIO, BIO_free>;
using certificate = owned<X509, X509_free>;
using private_key = owned<EVP_PKEY, EVP_PKEY_free>;

core::failure unusable(const std::string& why)
{
    ERR_clear_error();
    return {core::error_code::bad_request, why};
}

// Nobody is there to be asked for a passphrase.
int no_passphrase(char*, int, int, void*)
{
    return -1;
}

} // namespace

core::result<std::chrono::seconds> remaining_validity(const config::tls& files)
{
    const file first(BIO_new_file(files.certificate.c_str(), "r"));
    const certificate shown(first ? PEM_read_bio_X509(first.get(), nullptr, no_passphrase, nullptr) : nullptr);
    if (!shown) {
        return unusable(files.certificate + (first ? " holds no certificate in PEM" : " cannot be read"));
    }
    const file second(BIO_new_file(files.key.c_str(), "r"));
    const private_key key(second ? PEM_read_bio_PrivateKey(second.get(), nullptr, no_passphrase, nullptr) : nullptr);
    if (!key) {
        return unusable(files.key + (second ? " holds no private key in PEM that can be read without a passphrase"
                                            : " cannot be read"));
    }
    if (X509_check_private_key(shown.get(), key.get()) != 1) {
        return unusable("the key in " + files.key + " is not that of the certificate in " + files.certificate);
    }
    int days = 0;
    int seconds = 0;
    if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(shown.get())) != 1) {
        return unusable(files.certificate + " does not say until when it is valid");
    }
    return std::chrono::days(days) + std::chrono::seconds(seconds);
}

} // namespace rowcast::net
