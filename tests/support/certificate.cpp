#include "support/certificate.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace rowcast::support {
namespace {

void need(bool done, const char* what)
{
    if (!done)
        throw std::runtime_error(std::string("certificate: ") + what);
}

template <class Write>
void write(const std::string& file, Write write)
{
    const std::unique_ptr<FILE, int (*)(FILE*)> out(std::fopen(file.c_str(), "w"), std::fclose);
    need(out && write(out.get()) == 1, "cannot be written");
}

std::filesystem::path new_folder()
{
    std::string name = (std::filesystem::temp_directory_path() / "rowcast-certificate-XXXXXX").string();
    need(::mkdtemp(name.data()) != nullptr, "no folder");
    return name;
}

}

certificate::certificate(const std::string& name, int days_left) : folder_(new_folder())
{
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const std::unique_ptr<X509, void (*)(X509*)> made(X509_new(), X509_free);
    need(key && made, "no key");
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -86'400L * 60);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 86'400L * days_left);
    X509_NAME* const subject = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(made.get(), subject);
    X509_set_pubkey(made.get(), key.get());
    X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(made.get(), names, -1);
    X509_EXTENSION_free(names);
    need(X509_sign(made.get(), key.get(), EVP_sha256()) > 0, "cannot be signed");
    write(file(), [&](FILE* out) { return PEM_write_X509(out, made.get()); });
    write(this->key(), [&](FILE* out) { return PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}

certificate::~certificate()
{
    std::filesystem::remove_all(folder_);
}

void certificate::become(const certificate& other) const
{
    const auto over = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy_file(other.file(), file(), over);
    std::filesystem::copy_file(other.key(), key(), over);
}

}
