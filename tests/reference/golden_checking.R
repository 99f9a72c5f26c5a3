# Writes golden/checking.json: proportional-hazards tests, concordance, Firth and ridge fits.
# Needs what golden.R needs. Usage, from this folder: Rscript golden_checking.R
# Debian has no package for Firth or for ridge logistic regression: both are maximised here, step by step, until the
# penalised score is rounding. survival's ridge() checks the Cox part; its distance is printed.
source("golden_functions.R")
all <- read.csv("relapsed-myeloma-596.csv", na.strings = ""); d <- all[!is.na(all$fish), ]
d$a <- as.integer(d$regimen == "IsaPd"); d$female <- as.integer(d$sex == "F"); d$iss <- factor(d$iss_stage); d$dara_no <- 1 - d$dara_refr; d$asct_no <- 1 - d$asct; d$fish_high <- as.integer(d$fish == "high")
rhs <- "age + female + crcl + iss + ldh_high + dara_no + asct_no + fish_high"
ps <- glm(as.formula(paste("a ~", rhs)), binomial, d, control = tight_glm); e <- fitted(ps); w <- ifelse(d$a == 1, mean(d$a) / e, (1 - mean(d$a)) / (1 - e))

# ---- proportional hazards and concordance ----
ph <- function(fit) { z <- sapply(c("km", "identity", "rank", "log"), function(g) { t <- cox.zph(fit, transform = g)$table; list(term = rownames(t), chisq = unname(t[, 1]), df = unname(t[, 2]), p = unname(t[, 3])) }, simplify = FALSE)
  k <- concordance(fit); count <- if (is.matrix(k$count)) colSums(k$count) else k$count
  c(list(estimate = unname(coef(fit))), z, list(concordance = unname(k$concordance), concordant = unname(count["concordant"]), discordant = unname(count["discordant"]), tied = unname(count["tied.x"]))) }
r <- read.csv("rotterdam.csv"); r$size_f <- factor(r$size_c, levels = c("<=20", "20-50", ">50")); r$tt <- ceiling(r$t / 91.3125)
f <- glm(chemo ~ age + meno + size_f + nodes + grade + hormon, binomial, r, control = tight_glm); er <- fitted(f); wr <- ifelse(r$chemo == 1, mean(r$chemo) / er, (1 - mean(r$chemo)) / (1 - er))
# Every third patient enters late, at a quarter of the own time: (0, tt] for the others, cell 0 included in no case.
r$enter <- ifelse(r$pid %% 3 == 0, floor(r$tt / 4), 0)
rhs_r <- "chemo + age + meno + size_f + nodes + grade + hormon"; surv <- function(left, extra = "") as.formula(paste("Surv(", left, "s) ~", rhs_r, extra)); run <- function(fm, w = 1, ties = "efron") { environment(fm) <- environment(); data <- r; data$.w <- w; coxph(fm, data, weights = .w, ties = ties, control = tight_cox) }
quarter <- list(efron = ph(run(surv("tt,"))), breslow = ph(run(surv("tt,"), ties = "breslow")), efron_weighted = ph(run(surv("tt,"), wr)), breslow_weighted = ph(run(surv("tt,"), wr, ties = "breslow")), stratified_by_site = ph(run(surv("tt,", "+ strata(site)"))), stratified_weighted = ph(run(surv("tt,", "+ strata(site)"), wr)), entry = ph(run(surv("enter, tt,"))), entry_weighted = ph(run(surv("enter, tt,"), wr)))

# ---- Firth: U + sum h (1/2 - mu) x, h the leverages; covariance I^-1. Columns are standardised on the way: the estimate does not depend on it ----
firth <- function(X, y, w = rep(1, length(y))) { m <- c(0, colMeans(X)[-1]); s <- c(1, apply(X, 2, sd)[-1]); Z <- sweep(sweep(X, 2, m), 2, s, "/"); b <- rep(0, ncol(X))
  at <- function(b) { eta <- drop(Z %*% b); mu <- plogis(eta); v <- w * mu * (1 - mu); I <- crossprod(Z, v * Z); loglik <- sum(w * (y * plogis(eta, log.p = TRUE) + (1 - y) * plogis(-eta, log.p = TRUE))); list(I = I, mu = mu, v = v, loglik = loglik, top = loglik + .5 * c(determinant(I)$modulus)) }
  score <- function(s) { h <- s$v * rowSums((Z %*% solve(s$I)) * Z); drop(crossprod(Z, w * (y - s$mu) + h * (.5 - s$mu))) }
  now <- at(b); for (i in 1:5000) { step <- solve(now$I, score(now)); step <- step * min(1, 2 / max(abs(step))); while (at(b + step)$top < now$top - 1e-9) step <- step / 2; b <- b + step; now <- at(b); if (max(abs(step)) < 1e-15) break }
  # The same maximum without any derivative of the penalty written down.
  top <- optim(b + .05, function(b) -at(b)$top, method = "BFGS", control = list(reltol = 1e-15, maxit = 1000))
  cat("Firth:", i, "steps, largest score", max(abs(score(now))), ", distance to optim", max(abs(top$par - b)), ", higher by", now$top + top$value, "\n")
  T <- diag(1 / s); T[1, ] <- T[1, ] - m / s
  c(coef_table(setNames(drop(T %*% b), colnames(X)), T %*% solve(now$I) %*% t(T)), list(loglik = now$loglik, penalised_loglik = now$top - sum(log(1 / s)))) }
# x alone separates the outcome; z does not.
small <- data.frame(x = c(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), z = c(0, 1, 1, 0, 0, 1, 0, 1, 1, 0), y = rep(0:1, each = 5))
binary <- list(separated = firth(model.matrix(~ x + z, small), small$y), disc_ae = firth(model.matrix(as.formula(paste("~ a +", rhs)), d), d$disc_ae), disc_ae_weighted = firth(model.matrix(~ a, d), d$disc_ae, w), response = firth(model.matrix(as.formula(paste("~ a +", rhs)), d), d$response))

# ---- ridge: log likelihood - sum lambda b^2 / 2; the intercept is free. var (I + Lambda)^-1, var2 (I + Lambda)^-1 I (I + Lambda)^-1 ----
ridge_newton <- function(at, lambda, names) { b <- rep(0, length(lambda)); for (i in 1:100) { s <- at(b); step <- solve(s$I + diag(lambda, length(lambda)), s$U - lambda * b); b <- b + step; if (max(abs(step) / (abs(b) + 1e-6)) < 1e-14) break }
  s <- at(b); B <- solve(s$I + diag(lambda, length(lambda))); cat("ridge:", i, "steps, largest score", max(abs(s$U - lambda * b)), "\n")
  c(coef_table(setNames(b, names), B), list(std_error2 = unname(sqrt(diag(B %*% s$I %*% B))), df = sum(diag(B %*% s$I)), loglik = s$loglik, penalised_loglik = s$loglik - sum(lambda * b^2) / 2)) }
ridge_logistic <- function(X, y, lambda) ridge_newton(function(b) { mu <- plogis(drop(X %*% b)); list(I = crossprod(X, mu * (1 - mu) * X), U = drop(crossprod(X, y - mu)), loglik = sum(y * log(mu) + (1 - y) * log1p(-mu))) }, lambda, colnames(X))
ridge_cox <- function(X, y, lambda, w = rep(1, nrow(X)), ties = "efron") ridge_newton(function(b) { f <- coxph(y ~ X, weights = w, ties = ties, init = b, control = coxph.control(iter.max = 0, toler.chol = 1e-18)); V <- if (is.null(f$naive.var)) f$var else f$naive.var; k <- sqrt(diag(V)); list(I = solve(V / outer(k, k)) / outer(k, k), U = colSums(residuals(f, "score") * w), loglik = f$loglik[2]) }, lambda, colnames(X))
X <- model.matrix(as.formula(paste("~ a +", rhs)), d); x <- X[, -1]; v <- apply(x, 2, var); y <- Surv(ceiling(d$pfs_days / 30.4375), d$pfs_event)
# The means are where the federation centres: the intercept belongs to them, so it is free in either parametrisation.
ridge <- list(response_raw = ridge_logistic(X, d$response, c(0, rep(2, ncol(x)))), response_standardised = ridge_logistic(X, d$response, c(0, 5 * v)), disc_ae_standardised = ridge_logistic(X, d$disc_ae, c(0, .5 * v)),
  pfs_raw = ridge_cox(x, y, rep(2, ncol(x))), pfs_standardised = ridge_cox(x, y, 5 * v), pfs_breslow_weighted = ridge_cox(x, y, 5 * v, w, "breslow"))
for (s in c(TRUE, FALSE)) { own <- if (s) ridge$pfs_standardised else ridge$pfs_raw; f <- coxph(y ~ survival::ridge(x, theta = if (s) 5 else 2, scale = s), control = coxph.control(eps = 1e-14, iter.max = 100, outer.max = 100)); cat("survival::ridge: distance of estimates", max(abs(coef(f) - own$estimate)), "of var", max(abs(sqrt(diag(f$var)) - own$std_error)), "of var2", max(abs(sqrt(diag(f$var2)) - own$std_error2)), "of df", abs(sum(f$df) - own$df), "\n") }
save_json(list(quarter = quarter, firth = binary, ridge = ridge), "checking")
