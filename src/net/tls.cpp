#include "net/tls.hpp"

#include <boost/asio/ssl/context.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace rowcast::net {
namespace {

namespace ssl = boost::asio::ssl;

// For TLS 1.2; 1.3 has none that one should leave out.
constexpr auto ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
                         "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

void must_be_readable(const std::string& file, const std::string& key)
{
    errno = 0;
    if (!std::ifstream(file).good()) {
        throw std::invalid_argument(key + ": cannot read " + file + ": " + std::generic_category().message(errno));
    }
}

// OpenSSL keeps what happened for whoever asks next.
std::string last_error()
{
    const unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    const char* const reason = ERR_reason_error_string(code);
    return reason ? reason : "unknown error";
}

// The only protocol that is spoken inside (RFC 7301).
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered, unsigned offered_size, void*)
{
    static constexpr unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, size, ours, sizeof ours, offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

} // namespace

tls_context_ptr make_tls_context(const std::optional<config::tls>& of)
{
    if (!of) {
        return nullptr;
    }
    must_be_readable(of->certificate, "server.tls.certificate");
    must_be_readable(of->key, "server.tls.key");
    auto out = std::make_shared<ssl::context>(ssl::context::tls_server);
    SSL_CTX* const raw = out->native_handle();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(raw, ciphers);
    SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS); // 34 KB of each session that is silent
    SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
    // Nobody is there to be asked for a passphrase.
    SSL_CTX_set_default_passwd_cb(raw, [](char*, int, int, void*) { return -1; });
    if (SSL_CTX_use_certificate_chain_file(raw, of->certificate.c_str()) != 1) {
        throw std::invalid_argument("server.tls.certificate: " + of->certificate + " is not a PEM file with a certificate and its chain: " + last_error());
    }
    if (SSL_CTX_use_PrivateKey_file(raw, of->key.c_str(), SSL_FILETYPE_PEM) != 1) {
        throw std::invalid_argument("server.tls.key: " + of->key + " is not the PEM file of the private key of " + of->certificate +
                                    ", without a passphrase: " + last_error());
    }
    return out;
}

std::chrono::seconds remaining_validity(ssl::context& of)
{
    int days = 0;
    int seconds = 0;
    const X509* const shown = SSL_CTX_get0_certificate(of.native_handle());
    ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(shown));
    return std::chrono::days(days) + std::chrono::seconds(seconds);
}

} // namespace rowcast::net
